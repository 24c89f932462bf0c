"""What the three task-partitioned assets have in common: their tasks, and what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from seta_dag.defs.partitions import task_of
from seta_dag.executor.stage import StageReport
from seta_dag.rollouts.merge import Merged

_FAILED_SHOWN = 20


def tasks_in(context: dg.AssetExecutionContext, merged: Merged) -> list[str]:
    """The tasks that the run is to build. Fails where none of them has a trial.

    A range whose start was registered after its end names no task at all; Dagster itself would
    then end well, having built nothing.
    """
    keys = context.partition_keys
    tasks = [task for key in keys if (task := task_of(key)) in merged.fingerprints]
    if not tasks:
        asked = f"none of the {len(keys)} tasks asked for has a trial" if keys else "the range holds no task"
        raise dg.Failure(f"{asked}; see the registered tasks, their order is that of registration")
    return tasks


def stage_result(report: StageReport) -> dg.MaterializeResult[Any]:
    """Counts, and the tasks that failed. Every event of a range carries it, so it is kept short."""
    metadata: dict[str, Any] = {"tasks": len(report.built), "failed tasks": len(report.failed)}
    metadata["counts"] = table([{"what": name, "number": n} for name, n in sorted(report.counts.items())])
    if report.failed:
        shown = list(report.failed.items())[:_FAILED_SHOWN]
        metadata["failed"] = table([{"task": task, "error": error} for task, error in shown])
    return dg.MaterializeResult(metadata=metadata)


def table(records: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue | dg.TextMetadataValue:
    """Records as a table in the UI."""
    if not records:
        return dg.MetadataValue.text("none")
    plain = [{key: "" if value is None else value for key, value in record.items()} for record in records]
    return dg.MetadataValue.table([dg.TableRecord(record) for record in plain])
