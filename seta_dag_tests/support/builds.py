"""Set up and run builds as a user would: sample trials, an output directory, a Dagster instance."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.instance import InstanceRef
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.ledger.ledger import read_ledger, write_ledger
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.shards.writer import write_shards
from seta_dag.definitions import code_location
from seta_dag.defs.build.build import BuildResult, build, planned
from seta_dag.defs.build.plan import Request
from seta_dag.defs.partitions import TASKS
from seta_dag.executor.stage_table import TaskLine
from seta_dag.hub.card.prose import Prose
from seta_dag.hub.card.write import facts_of, write_card
from seta_dag.options.build_options import BuildOptions
from seta_dag.rollouts.collect_trials import collect_tasks
from seta_dag.rollouts.listing.trials import find_runs, list_trials
from seta_dag.rollouts.merge import merge_runs
from seta_dag.rollouts.parse_reports import parse_tasks
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens import tokenize_piece as piece_module
from seta_dag.tokens.built import STAGES
from seta_dag.tokens.row_settings import RowSettings
from seta_dag.tokens.student.student import DEFAULT_STUDENT, find_student
from seta_dag.tokens.tokenize_tasks import tokenize_tasks
from seta_dag.tokens.variants import VARIANTS

REPOSITORY = Path(__file__).parents[2]
SAMPLE = REPOSITORY / "data" / "rollouts"
RUNS = tuple(sorted(path.parent for path in SAMPLE.glob("*/*/trials")))
"""The sample's resume chain: the first run, its resume, and the resume of that resume."""

_INSTANCE = """
event_log_storage:
  module: seta_dag.defs.instance.event_log
  class: BatchedSqliteEventLog
  config: {{base_dir: {home}/history/runs}}
telemetry: {{enabled: false}}
nux: {{enabled: false}}
"""


def take(run: Path, *names: str, source: Path = RUNS[0]) -> None:
    """Copy the trials of a sample run whose names start with one of `names` into the run at `run`."""
    for name in names:
        for trial in sorted((source / "trials").glob(f"{name}*")):
            shutil.copytree(trial, run / "trials" / trial.name, dirs_exist_ok=True)


def trial(root: Path, name: str) -> Path:
    """Return the only trial directory below `root` whose name starts with `name`."""
    (found,) = root.glob(f"*/*/trials/{name}*")
    return found


@dataclass(frozen=True)
class Place:
    """A folder that holds rollouts and the output directory of their build."""

    folder: Path

    @property
    def rollouts(self) -> Path:
        return self.folder / "rollouts"

    @property
    def out(self) -> OutputLayout:
        return OutputLayout(self.folder / "out")

    def copy(self, folder: Path) -> Place:
        """Copy everything to `folder`, preserving file times as `cp -a` does."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Place(folder)

    def request(
        self,
        *,
        runs: str = "*",
        student: str = DEFAULT_STUDENT,
        filters: Filters | None = None,
        **fields: Any,
    ) -> Request:
        """Return a request to build here; `fields` are further fields of `Request`."""
        options = BuildOptions(self.rollouts, runs, student, filters or Filters())
        return Request(self.out, options, **fields)

    def build(self, instance: dg.DagsterInstance, **fields: Any) -> BuildResult:
        """Build here through the asset graph; `fields` are passed to `request`."""
        request = self.request(**fields)
        with planned(request, lambda: None) as plan:
            return build(code_location(), instance, request, plan)

    def tasks(self) -> list[str]:
        """List the tasks that have a trial in the rollouts now, sorted."""
        trials = [found for run in find_runs(self.rollouts) for found in list_trials(self.rollouts, run)]
        return sorted({found.task_id for found in trials if found.task_id is not None})

    def ledger(self) -> list[LedgerLine]:
        """Read the lines of the ledger."""
        return read_ledger(self.out.ledger)

    def visible(self) -> dict[str, bytes]:
        """Return the bytes of the ledger and of all dataset files, by path relative to OUT."""
        folders = [self.out.dataset(variant) for variant in VARIANTS]
        return _contents(self.out.root, [self.out.ledger, *folders])

    def stage_files(self) -> dict[str, int]:
        """Map each task's line in the table of each stage to a number that changes when it is rewritten.

        The number is the inode of the file with its rows for `tokens`, and of the table for the other stages.
        """
        return {
            f"{table.stage}/{line.task}/{line.fingerprint}": self._version(table.stage, line)
            for table in STAGES
            for line in table.read(self.out)
        }

    def _version(self, stage: str, line: TaskLine[Any]) -> int:
        path = self.out.piece(line.file.name) if line.file else self.out.table(stage)
        return path.stat().st_ino


@contextmanager
def tokenized() -> Iterator[set[str]]:
    """Collect the tasks whose rows are made, not copied, in this process while the block runs."""
    tasks: set[str] = set()
    build = piece_module._build

    def recorded(shared: Any, task: str, *others: Any) -> Any:
        tasks.add(task)
        return build(shared, task, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piece_module, "_build", recorded)
        yield tasks


def built_plainly(
    source: Place, folder: Path, *, student: str = DEFAULT_STUDENT, filters: Filters | None = None
) -> Place:
    """Build the rollouts of `source` from scratch in `folder` with plain function calls, without Dagster.

    Serves as the expected result: a build through the asset graph must give the same bytes.
    """
    place = Place(folder)
    place.rollouts.parent.mkdir(parents=True, exist_ok=True)
    place.rollouts.symlink_to(source.rollouts)
    found, filters = find_student(student), filters or Filters()
    rows = RowSettings(found.name, found.identity, "fastokens")
    out, root = place.out, place.rollouts
    merged = merge_runs(root, "*", found.identity)
    tasks = list(merged.fingerprints)
    collect_tasks(out, root, merged, tasks)
    parse_tasks(out, root, merged, tasks)
    tokenize_tasks(out, root, merged, rows, tasks)
    write_ledger(out.ledger, account(out, merged, filters), filters)
    lines = read_ledger(out.ledger)
    for variant in VARIANTS:
        write_shards(out, variant, lines, merged.fingerprints)
        write_card(out, variant, facts_of(out, root, merged, found, "*"), Prose(), "")
    return place


def write_settings(home: Path) -> None:
    """Write the dagster.yaml of an instance; it contains `home`, so a copied home needs a new one."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(_INSTANCE.format(home=home))


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open a SQLite instance below `home` that uses this project's event log storage."""
    write_settings(home)
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))


def statuses(instance: dg.DagsterInstance, asset: str) -> dict[str, str]:
    """Map each task to the status the UI shows for its partition: materialized, failed or missing."""
    key, tasks = dg.AssetKey(asset), instance.get_dynamic_partitions("task")
    cached = get_and_update_asset_status_cache_value(instance, key, TASKS, dynamic_partitions_loader=instance)
    if cached is None:
        return dict.fromkeys(tasks, "missing")
    failed = cached.deserialize_failed_partition_subsets(TASKS).get_partition_keys()
    done = cached.deserialize_materialized_partition_subsets(TASKS).get_partition_keys()
    return {t: "failed" if t in failed else "materialized" if t in done else "missing" for t in tasks}


def _contents(root: Path, paths: Iterable[Path]) -> dict[str, bytes]:
    """Read every file at or below `paths`, keyed by its path relative to `root`."""
    files = [path for top in paths for path in (top, *top.rglob("*")) if path.is_file()]
    return {os.fspath(path.relative_to(root)): path.read_bytes() for path in sorted(files)}
