"""What the three task-partitioned assets share: their tasks, and their metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from seta_dag.defs.assets.partition_metadata import metadata_of_tasks
from seta_dag.defs.instance.partition_metadata import add_metadata
from seta_dag.defs.partitions import task_of
from seta_dag.defs.resources import Project
from seta_dag.executor.stage import StageReport
from seta_dag.rollouts.merge import Merged, read_merged

_FAILED_SHOWN = 20


def tasks_in(context: dg.AssetExecutionContext, merged: Merged) -> list[str]:
    """Return the tasks that the run should build, and fail if none of them has a trial.

    A range whose start was registered after its end contains no tasks. Dagster itself would report
    success for it, having built nothing.
    """
    keys = context.partition_keys
    tasks = [task for key in keys if (task := task_of(key)) in merged.fingerprints]
    if not tasks:
        asked = (
            f"none of the {len(keys)} requested tasks has a trial" if keys else "the range contains no task"
        )
        raise dg.Failure(f"{asked}; see the registered tasks, which are ordered by registration")
    return tasks


def stage_result(
    context: dg.AssetExecutionContext, project: Project, report: StageReport, tasks: Iterable[str]
) -> dg.MaterializeResult[Any]:
    """Give each partition's materialization what is known of its task, and the step's totals one event."""
    out, fingerprints = project.target, read_merged(project.target.resume_chain).fingerprints
    add_metadata(context, metadata_of_tasks(out, context.asset_key.path[-1], fingerprints, tasks))
    context.log_event(dg.AssetObservation(context.asset_key, metadata=_totals(report)))
    return dg.MaterializeResult()


def _totals(report: StageReport) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tasks": len(report.built), "failed tasks": len(report.failed)}
    metadata["counts"] = table([{"what": name, "number": n} for name, n in sorted(report.counts.items())])
    if report.failed:
        shown = list(report.failed.items())[:_FAILED_SHOWN]
        metadata["failed"] = table([{"task": task, "error": error} for task, error in shown])
    return metadata


def table(records: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue | dg.TextMetadataValue:
    """Show records as a table in the UI."""
    if not records:
        return dg.MetadataValue.text("none")
    plain = [{key: _plain(value) for key, value in record.items()} for record in records]
    return dg.MetadataValue.table([dg.TableRecord(record) for record in plain])


def _plain(value: Any) -> Any:
    """Return a value that Dagster can store: it refuses null, and enums that are strings."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else value
