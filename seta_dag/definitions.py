"""The code location: every asset, check, job and resource of seta_dag."""

from __future__ import annotations

import dagster as dg

from seta_dag.defs import dataset, hub, rollouts, tokens
from seta_dag.defs.checks import CHECKS
from seta_dag.defs.jobs import build
from seta_dag.defs.progress import progress
from seta_dag.defs.resources import HubSettings, Project, StudentSettings

defs = dg.Definitions(
    assets=[
        rollouts.resume_chain,
        rollouts.trials,
        rollouts.ctrf_reports,
        tokens.tokens,
        dataset.ledger,
        *dataset.DATASETS.values(),
        *hub.CARDS.values(),
        *hub.HUBS,
    ],
    asset_checks=CHECKS,
    jobs=[build],
    loggers={"progress": progress},
    resources={"project": Project(), "student": StudentSettings(), "hub": HubSettings()},
    executor=dg.in_process_executor,
)
