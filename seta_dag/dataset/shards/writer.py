"""Write the Parquet shards of a variant (rules R10 and R12, docs/rules.md).

Only shards whose rows have changed are written; all others are hard-linked into the new directory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.shards.facts import Shard
from seta_dag.dataset.shards.known import remember
from seta_dag.dataset.shards.layout import plan_shards, shard_names
from seta_dag.dataset.shards.shard_file import ShardJob, ShardResult, write_shard
from seta_dag.dataset.shards.source import RowSource
from seta_dag.errors import WorkerLostError
from seta_dag.executor.completed import completed
from seta_dag.executor.in_process import InProcess
from seta_dag.executor.stage import Progress, no_progress
from seta_dag.executor.workers import Workers
from seta_dag.store.atomic import mark, marks, remove, replace_directory
from seta_dag.store.layout import OutputLayout
from seta_dag.store.table import Table
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards of one variant after a build.

    Attributes:
        paths: of all shards, in order.
        written: number of shards that this build wrote; the others were unchanged.
        rows: number of rows in all shards.
    """

    paths: tuple[Path, ...]
    written: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Written:
    """A shard on disk: the key of its plan, its name, and its size and time when it was written."""

    plan: str
    name: str
    mark: str


_INDEX: Table[_Written] = Table(_Written)


def write_shards(
    out: OutputLayout,
    variant: Variant,
    ledger: Iterable[LedgerLine],
    fingerprints: Mapping[str, str],
    tick: Progress = no_progress,
    workers: Workers | None = None,
) -> Shards:
    """Write the shards of all rows in the ledger, reusing those whose rows have not changed.

    The dataset's directory is replaced in one step. Its README.md survives only if no shard changed, so a
    card never describes other data than that next to it. `tick` is called with (shards done, all shards).
    `workers` are by default this process.

    Raises:
        NotBuiltError: if the file with a row is missing or damaged; a damaged one is removed, so that the
            next build rebuilds its tasks.
        OutputError: if the dataset cannot be written.
    """
    rows = [line.key for line in ledger if line.disposition == "row"]
    source = RowSource.of(out, fingerprints)
    plans = list(plan_shards(rows, source.contents(variant, rows), variant))
    names = shard_names(len(plans))
    data, index = out.dataset(variant) / "data", out.memo(f"{variant}.shards")
    unchanged = _unchanged(index, data)
    paths = tuple(out.dataset(variant) / name for name in names)
    # The second condition finds files that no build wrote; a rewrite removes them.
    if [unchanged.get(plan.key) for plan in plans] == list(paths) and len(list(data.iterdir())) == len(paths):
        return Shards(paths, 0, len(rows))
    aside = _new_directory(out, variant)
    jobs = []
    for name, plan in zip(names, plans, strict=True):
        if plan.key in unchanged:
            _link(unchanged[plan.key], aside / name)
        else:
            jobs.append(source.job(variant, plan, aside / name))
    written = _write(source, jobs, lambda done: tick(len(plans) - len(jobs) + done, len(plans)), workers)
    replace_directory(aside, out.dataset(variant))
    written_now = zip(plans, paths, strict=True)
    _INDEX.write(index, [_Written(plan.key, path.name, mark(path)) for plan, path in written_now])
    remember(out.dataset(variant), out.shard_facts(variant), written)
    return Shards(paths, len(jobs), len(rows))


def _new_directory(out: OutputLayout, variant: Variant) -> Path:
    """Return an empty directory for the dataset, and remove those that killed builds have left."""
    for left in out.stages.glob(f"{variant}*.new"):
        remove(left)
    # Not the same name again: a worker on a cluster may still be writing for a build that was killed.
    aside = out.stages / f"{variant}.{token_hex(4)}.new"
    (aside / "data").mkdir(parents=True)
    return aside


def _write(
    source: RowSource, jobs: Sequence[ShardJob], tick: Callable[[int], None], workers: Workers | None
) -> list[Shard]:
    """Write the shards, and return them as they were read back."""
    results: list[ShardResult] = []
    with completed(workers or InProcess(), write_shard, jobs) as done:
        for _, result in done:
            if isinstance(result, WorkerLostError):
                raise result
            results.append(result)
            tick(len(results))
    source.refuse_damaged(sorted({name for result in results for name in result.damaged}))
    return [result.shard for result in results if result.shard is not None]


def _unchanged(index: Path, data: Path) -> dict[str, Path]:
    """Return the shards in `data` that have not been touched since they were written, keyed by plan key."""
    on_disk = marks(data)
    written = _INDEX.read(index) or ()
    return {one.plan: data / one.name for one in written if on_disk.get(one.name) == one.mark}


def _link(shard: Path, path: Path) -> None:
    try:
        os.link(shard, path)
    except OSError:  # a file system without hard links
        shutil.copy2(shard, path)
