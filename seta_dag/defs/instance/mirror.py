"""What the instance shows follows the files under the output directory, not the other way round."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import dagster as dg
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventBatchMetadata,
    DagsterEventType,
    StepMaterializationData,
    generate_event_batch_id,
)
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

from seta_dag.defs.partitions import key_of
from seta_dag.store.layout import FORMAT_VERSION

_PROVENANCE = {
    dg.AssetKey("trials"): {
        "dagster/code_version": FORMAT_VERSION,
        "dagster/input_data_version/resume_chain": FORMAT_VERSION,
        "dagster/input_event_pointer/resume_chain": "NULL",
    }
}
"""What a task was collected from, as Dagster notes it; without it the task looks older than the merge."""


def report_built(instance: dg.DagsterInstance, assets: Iterable[dg.AssetKey], tasks: Iterable[str]) -> int:
    """Reports tasks whose stage files are there, but which this instance never saw materialized.

    So a fresh instance over an output directory that is built shows it as built. Returns how many
    materializations were reported; they are stored as one batch.
    """
    keys = [key_of(task) for task in tasks]
    missing = [
        dg.AssetMaterialization(
            asset, partition=key, description="Found built by an earlier build.", tags=_PROVENANCE.get(asset)
        )
        for asset in assets
        for key in _not_in(keys, instance.get_materialized_partitions(asset))
    ]
    batch = generate_event_batch_id()  # type: ignore[no-untyped-call]
    for at, materialization in enumerate(missing, 1):
        event = DagsterEvent(
            event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
            event_specific_data=StepMaterializationData(materialization),
            job_name=RUNLESS_JOB_NAME,
        )
        ends = DagsterEventBatchMetadata(batch, at == len(missing))
        instance.report_dagster_event(event, RUNLESS_RUN_ID, logging.INFO, batch_metadata=ends)
    return len(missing)


def _not_in(keys: Iterable[str], known: set[str]) -> list[str]:
    return [key for key in keys if key not in known]


def report_failed(instance: dg.DagsterInstance, run: dg.DagsterRun, asset: str, tasks: Iterable[str]) -> None:
    """Shows the partitions of `tasks` as failed once `run` has failed.

    The asset materialized its whole range; planned anew in the same run, these partitions lack theirs.
    """
    for task in tasks:
        event = DagsterEvent(
            event_type_value=DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
            event_specific_data=AssetMaterializationPlannedData(dg.AssetKey(asset), key_of(task)),
            job_name=run.job_name,
        )
        instance.report_dagster_event(event, run.run_id)
