"""A small job over tasks, instances on SQLite that run it, and the rows of their event logs."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` when an asset is defined.

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.events import StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage

from seta_dag.defs.partitions import ONE_RUN, TASKS

_RANGE = "dagster/asset_partition_range_{}"
_TABLES = ("event_logs", "asset_keys", "asset_event_tags", "dynamic_partitions", "asset_check_executions")
# Columns that differ between any two runs.
_TIMES = (
    "timestamp",
    "last_wipe_timestamp",
    "create_timestamp",
    "event_timestamp",
    "wipe_timestamp",
    "evaluation_event_timestamp",
    "last_materialization_timestamp",
)


def definitions() -> dg.Definitions:
    """Return two assets per task, one over all tasks, and a check of that one.

    A run with the tag `fail` fails in `second` after its first task; with `unsound`, the check fails.
    """

    @dg.asset(partitions_def=TASKS, backfill_policy=ONE_RUN, code_version="1")
    def first(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        about = {"tasks": len(context.partition_keys)}
        return dg.MaterializeResult(metadata=about, data_version=dg.DataVersion("7"))

    @dg.asset(partitions_def=TASKS, backfill_policy=ONE_RUN, code_version="1", deps=[first])
    def second(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        key = context.partition_keys[0]
        context.log_event(dg.AssetObservation("first", partition=key, tags={"seen": "yes"}))
        if context.run.tags.get("fail"):
            context.log_event(dg.AssetMaterialization("second", partition=key))
            raise dg.Failure("fails on purpose, after the first task")
        return dg.MaterializeResult(tags={"of": "range"})

    @dg.asset(backfill_policy=ONE_RUN, code_version="1", deps=[second])
    def summary() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(metadata={"rows": 3})

    @dg.asset_check(asset=summary, blocking=True)
    def sound(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=not context.run.tags.get("unsound"), metadata={"seen": 3})

    job = dg.define_asset_job("all", executor_def=dg.in_process_executor)
    return dg.Definitions([first, second, summary], asset_checks=[sound], jobs=[job])


def opened(home: Path, module: str, name: str) -> dg.DagsterInstance:
    """Open an instance on SQLite whose event log is the class `name` in `module`."""
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(
        f"event_log_storage: {{module: {module}, class: {name}, config: {{base_dir: {home}/runs}}}}\n"
        "telemetry: {enabled: false}\n"
    )
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))


def run(instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
    """Run all assets over all tasks, in this process, with these tags."""
    keys = instance.get_dynamic_partitions("task")
    tags |= {_RANGE.format("start"): keys[0], _RANGE.format("end"): keys[-1]}
    job = definitions().resolve_job_def("all")
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def entry(run_id: str, event: dg.DagsterEvent, at: float = 1.0) -> EventLogEntry:
    """Return the event as Dagster passes it to an event log."""
    return EventLogEntry(None, logging.INFO, "", run_id, at, dagster_event=event)  # type: ignore[no-untyped-call]


def batch(run_id: str, at: int, size: int) -> list[EventLogEntry]:
    """Return `size` materializations by a run; `at` is the number of the batch, part of every partition."""
    keys = [f"{run_id}/{at}/{i}" for i in range(size)]
    data = [dg.AssetMaterialization("a", partition=key, tags={"of": run_id}) for key in keys]
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION.value
    events = [dg.DagsterEvent(kind, "all", event_specific_data=StepMaterializationData(of)) for of in data]
    return [entry(run_id, event) for event in events]


def partitions(log: SqliteEventLogStorage, shard: str = "index") -> list[str]:
    """Return the partitions of the events in the database of a shard, in order."""
    return [event[-1] for event in events(Path(log.path_for_shard(shard)))]


def events(database: Path) -> list[tuple[Any, ...]]:
    """Return the events in a database, in order; none if the file does not exist."""
    if not database.exists():
        return []
    columns = "run_id, dagster_event_type, step_key, asset_key, partition"
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"select {columns} from event_logs order by id").fetchall()


def rows(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of the index with their ids, but without times, and with runs numbered.

    So the rows of two instances with the same history are equal.
    """
    with closing(sqlite3.connect(home / "runs" / "index.db")) as connection:
        connection.row_factory = sqlite3.Row
        found = {name: connection.execute(f"select * from {name}").fetchall() for name in _TABLES}
    runs = dict.fromkeys(row["run_id"] for row in found["event_logs"] if row["run_id"])
    named = {run_id: f"run {at}" for at, run_id in enumerate(runs)}
    return {name: [_plain(dict(row), named) for row in table] for name, table in found.items()}


def _plain(value: Any, runs: dict[str, str]) -> Any:
    """Return `value` with run ids replaced, without times, and with JSON in strings decoded."""
    if isinstance(value, dict):
        return {name: _plain(of, runs) for name, of in value.items() if name not in _TIMES}
    if isinstance(value, list):
        return [_plain(of, runs) for of in value]
    if isinstance(value, str) and value.startswith(("{", "[")):
        return _plain(json.loads(value), runs)
    return runs.get(value, value) if isinstance(value, str) else value
