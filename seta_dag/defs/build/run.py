"""One run of the one job in this process, its events taken as they come and not kept.

`execute_in_process` keeps every event to its end: three a task, 20 MB for 10,000 materializations. What a
run worker of Dagster's does is private, so Dagster is pinned, and every build in the tests goes this way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any],
    tags: Mapping[str, str],
    assets: Collection[dg.AssetKey] | None,
) -> list[dg.DagsterEvent]:
    """Runs `job` over those assets (None: all) to its end, well or not.

    Gives its events, of the materializations of a range of tasks only the first.
    """
    selection = None if assets is None else frozenset(assets)
    run = instance.create_run_for_job(
        job if selection is None else job.get_subset(asset_selection=selection),
        run_config=config,
        tags={**job.run_tags, **tags},
        asset_selection=selection,
    )
    kept: list[dg.DagsterEvent] = []
    ranges: set[dg.AssetKey] = set()
    for event in execute_run_iterator(InMemoryJob(job), run, instance):
        if event.is_step_materialization and event.partition is not None and event.asset_key is not None:
            if event.asset_key in ranges:
                continue
            ranges.add(event.asset_key)
        kept.append(event)
    return kept
