"""The asset graph: thin Dagster definitions over the library, one module a stage."""

import warnings

import dagster as dg

from seta_dag.executor.memory import use_one_pool

use_one_pool()  # before a stage loads Arrow

# `backfill_policy` is what lets one run build any range of tasks. Dagster calls it beta at every asset.
warnings.filterwarnings("ignore", message=".*backfill_policy", category=dg.BetaWarning)
