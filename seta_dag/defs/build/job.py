"""The one job: it serves the command line, the sensor, the schedule and the UI."""

from __future__ import annotations

import dagster as dg

build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all(),
    description="Tasks of one range, then the ledger, both datasets, their cards and what is published.",
    executor_def=dg.in_process_executor,
)
