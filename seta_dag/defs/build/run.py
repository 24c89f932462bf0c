"""Run the one job in this process, by Dagster's public API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from seta_dag.defs.build.failures import step_sentence

_INTERRUPTED = "DagsterExecutionInterruptedError"


def run_job(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any],
    tags: Mapping[str, str],
    assets: list[dg.AssetKey] | None,
) -> list[dg.DagsterEvent]:
    """Run the job over `assets` (None: all) and return its events, whether it succeeded or not.

    Dagster keeps every event until the run ends: about 2 kB per task and asset.

    Raises:
        KeyboardInterrupt: the run was interrupted. Dagster itself reports it as a failed step.
    """
    result = definitions.resolve_job_def("build").execute_in_process(
        run_config=dict(config),
        instance=instance,
        tags=tags,
        asset_selection=assets,
        raise_on_error=False,
    )
    events = list(result.all_events)
    # With `raise_on_error=False` Ctrl-C is an event like any other.
    if any(event.is_step_failure and _INTERRUPTED in step_sentence(event) for event in events):
        raise KeyboardInterrupt
    return events
