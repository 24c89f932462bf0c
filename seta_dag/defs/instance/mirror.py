"""Report to the Dagster instance what the files under the output directory say.

The files decide what is built; the instance only shows it (docs/architecture.md, "Which record wins").
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

# Private, because the public `report_runless_asset_event` stores one event at a time, which takes minutes
# for thousands of tasks, and no public function reports a planned materialization for a run.
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEventBatchMetadata,
    StepMaterializationData,
    generate_event_batch_id,
)

# Private, because these mark an event without a run, as `report_runless_asset_event` does itself.
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

from seta_dag.defs.partitions import key_of
from seta_dag.store.layout import FORMAT_VERSION

# Tags that Dagster adds to the materializations of a run. Without them, the UI shows a task as stale,
# because it seems older than the merge that it was collected from.
_PROVENANCE = {
    dg.AssetKey("trials"): {
        "dagster/code_version": FORMAT_VERSION,
        "dagster/input_data_version/resume_chain": FORMAT_VERSION,
        "dagster/input_event_pointer/resume_chain": "NULL",
    }
}
"""Tags of a reported materialization, keyed by asset."""


def report_built(
    instance: dg.DagsterInstance,
    assets: Iterable[dg.AssetKey],
    tasks: Iterable[str],
    metadata: Callable[[str, list[str]], Mapping[str, Mapping[str, Any]]],
) -> int:
    """Report tasks as materialized whose files exist, but which this instance has never seen built.

    So a fresh instance shows an output directory that is built as built. Returns the number of reported
    materializations. They are stored as one batch. `metadata` is called with an asset and tasks, and returns
    the metadata of their partitions by key.
    """
    names = list(tasks)
    missing: list[dg.AssetMaterialization] = []
    for asset in assets:
        known = instance.get_materialized_partitions(asset)
        new = [task for task in names if key_of(task) not in known]
        missing += _found_built(asset, new, metadata(asset.path[-1], new)) if new else []
    batch = generate_event_batch_id()  # type: ignore[no-untyped-call]
    for n, materialization in enumerate(missing, 1):
        event = dg.DagsterEvent(
            event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            event_specific_data=StepMaterializationData(materialization),
            job_name=RUNLESS_JOB_NAME,
        )
        # The instance holds the events back until the last one says that it ends the batch.
        end = DagsterEventBatchMetadata(batch, n == len(missing))
        instance.report_dagster_event(event, RUNLESS_RUN_ID, logging.INFO, batch_metadata=end)
    return len(missing)


def _found_built(
    asset: dg.AssetKey, tasks: Iterable[str], metadata: Mapping[str, Mapping[str, Any]]
) -> Iterator[dg.AssetMaterialization]:
    for key in map(key_of, tasks):
        yield dg.AssetMaterialization(
            asset,
            partition=key,
            description="Found built by an earlier build.",
            metadata=metadata.get(key),
            tags=_PROVENANCE.get(asset),
        )


def report_failed(instance: dg.DagsterInstance, run: dg.DagsterRun, asset: str, tasks: Iterable[str]) -> None:
    """Make the UI show the partitions of `tasks` as failed once `run` has failed.

    A run materializes its complete range of tasks, including those that failed. Dagster shows a partition
    as failed if it was planned after it was last materialized and its run has failed, so these partitions
    are planned again.
    """
    for task in tasks:
        event = dg.DagsterEvent(
            event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
            event_specific_data=AssetMaterializationPlannedData(dg.AssetKey(asset), key_of(task)),
            job_name=run.job_name,
        )
        instance.report_dagster_event(event, run.run_id)
