"""The code location: every asset, check, job, sensor, schedule and resource of seta_dag."""

from __future__ import annotations

import os
import warnings
from typing import Any

import dagster as dg

from seta_dag.defs.assets import dataset, hub, rollouts, tokens
from seta_dag.defs.automation import new_rollouts, nightly
from seta_dag.defs.build.job import build_job
from seta_dag.defs.build.progress import progress
from seta_dag.defs.checks import CHECKS
from seta_dag.defs.hub_settings import HubSettings
from seta_dag.defs.resources import Project, StudentSettings, WorkerSettings


def code_location() -> dg.Definitions:
    """Return everything that Dagster shows and runs. SETA_NIGHTLY_CRON sets when the schedule runs."""
    return dg.Definitions(
        assets=_with_code(
            [
                rollouts.resume_chain,
                rollouts.trials,
                rollouts.ctrf_reports,
                tokens.tokens,
                dataset.ledger,
                *dataset.DATASETS.values(),
                *hub.CARDS.values(),
                *hub.HUBS,
            ]
        ),
        asset_checks=CHECKS,
        jobs=[build_job],
        sensors=[new_rollouts],
        schedules=[nightly(os.environ.get("SETA_NIGHTLY_CRON", "0 3 * * *"))],
        loggers={"progress": progress},
        resources={
            "project": Project(),
            "student": StudentSettings(),
            "workers": WorkerSettings(),
            "hub": HubSettings(),
        },
        executor=dg.in_process_executor,
    )


def _with_code(assets: list[dg.AssetsDefinition]) -> list[Any]:
    """Link each asset to its code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster warns once per asset and link
        return list(dg.with_source_code_references(assets))


@dg.definitions
def defs() -> dg.Definitions:
    """Load the code location. A function, so that the environment is read on loading and not on import."""
    return code_location()
