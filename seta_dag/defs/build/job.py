"""The one job. Command line, sensor, schedule and UI all run it."""

from __future__ import annotations

import dagster as dg

build_job = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all(),
    description="A range of tasks, then the ledger, both datasets and their cards; published if configured.",
    executor_def=dg.in_process_executor,
)
