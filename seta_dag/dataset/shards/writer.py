"""Write the Parquet shards of a variant (rules R10 and R12, docs/rules.md).

Only shards whose rows have changed are written; all others are hard-linked into the new directory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.ledger.ledger import LedgerLine
from seta_dag.dataset.schema import FIELDS, LONG, ROW_SCHEMA
from seta_dag.dataset.shards.layout import ShardPlan, plan_shards, shard_names
from seta_dag.dataset.shards.source import RowSource
from seta_dag.executor.memory import give_back
from seta_dag.executor.stage import Progress, no_progress
from seta_dag.executor.workers import in_order
from seta_dag.store.atomic import mark, marks, read_memo, remove, replace_directory, write_memo, written_aside
from seta_dag.store.layout import OutputLayout
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


def write_shards(
    out: OutputLayout,
    variant: Variant,
    ledger: Iterable[LedgerLine],
    fingerprints: Mapping[str, str],
    tick: Progress = no_progress,
) -> Shards:
    """Write the shards of all rows in the ledger, reusing those whose rows have not changed.

    The dataset's directory is replaced in one step. Its README.md survives only if no shard changed, so a
    card never describes other data than that next to it. `tick` is called with (shards done, all shards).

    Raises:
        NotBuiltError: if the stage file of a row is missing or damaged; a damaged one is removed, so that
            the next build rebuilds it.
        OutputError: if the dataset cannot be written.
    """
    rows = [line for line in ledger if line["disposition"] == "row"]
    source = RowSource.of(out, fingerprints)
    plans = list(plan_shards(rows, source.contents(variant, rows), variant))
    names = shard_names(len(plans))
    data, index = out.dataset(variant) / "data", out.memo(f"{variant}.shards")
    unchanged = _unchanged(index, data)
    paths = tuple(out.dataset(variant) / name for name in names)
    # The second condition finds files that no build wrote; a rewrite removes them.
    if [unchanged.get(plan.key) for plan in plans] == list(paths) and len(list(data.iterdir())) == len(paths):
        return Shards(paths, 0, len(rows))
    source.require_intact(plan for plan in plans if plan.key not in unchanged)
    aside = _write_aside(source, variant, dict(zip(names, plans, strict=True)), unchanged, tick)
    replace_directory(aside, out.dataset(variant))
    write_memo(index, {plan.key: [path.name, mark(path)] for plan, path in zip(plans, paths, strict=True)})
    return Shards(paths, sum(plan.key not in unchanged for plan in plans), len(rows))


def _write_aside(
    source: RowSource,
    variant: Variant,
    plans: Mapping[str, ShardPlan],
    unchanged: Mapping[str, Path],
    tick: Progress,
) -> Path:
    """Write the complete dataset to a temporary directory, one shard per core at a time."""
    aside = source.out.stages / f"{variant}.new"
    remove(aside)  # left over if an earlier build was killed
    (aside / "data").mkdir(parents=True)

    def put(name: str) -> None:
        plan, path = plans[name], aside / name
        if plan.key in unchanged:
            _link(unchanged[plan.key], path)
        else:
            _write(path, source.groups(variant, plan))

    for done, _ in enumerate(in_order(put, plans), 1):
        tick(done, len(plans))
    give_back()  # free memory that the C library would keep after the large columns
    return aside


def _unchanged(index: Path, data: Path) -> dict[str, Path]:
    """Return the shards in `data` that have not been touched since they were written, keyed by plan key."""
    on_disk = marks(data)
    written = (read_memo(index) or {}).items()
    return {key: data / name for key, (name, mark_then) in written if on_disk.get(name) == mark_then}


def _link(shard: Path, path: Path) -> None:
    try:
        os.link(shard, path)
    except OSError:  # a file system without hard links
        shutil.copy2(shard, path)


_WITH_STATISTICS = [name for name in FIELDS if name not in LONG and name != "provider_token_counts"]
"""Minimum and maximum of a long column are useless, and would keep two of its values in memory."""


def _write(path: Path, groups: Iterable[pa.Table]) -> None:
    """Write a shard, one row group per table."""
    settings: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 3,
        # Only masks repeat their values.
        "use_dictionary": ["loss_mask.list.element"],
        "write_page_index": True,
        "write_statistics": _WITH_STATISTICS,
        # Page boundaries follow the content, so that after a change the Hub stores only the changed pages.
        "use_content_defined_chunking": True,
    }
    with written_aside(path) as aside, pq.ParquetWriter(aside, ROW_SCHEMA, **settings) as writer:
        for group in groups:
            writer.write_table(group)
