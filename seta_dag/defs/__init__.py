"""The asset graph: thin Dagster definitions over the library. Only here is Dagster known.

`assets` are the stages, `checks` their asset checks, `resources` and `hub_settings` their options,
`partitions` the tasks, `automation` the sensor and the schedule, `build` a build from outside the UI,
`instance` what depends on Dagster's own storage. `event_log` is an alias for people's dagster.yaml files.
"""

import warnings

import dagster as dg

from seta_dag.executor.memory import use_one_pool

use_one_pool()  # before a stage loads Arrow

# `backfill_policy` lets one run build any range of tasks. Dagster warns that it is beta, once per asset.
warnings.filterwarnings("ignore", message=".*backfill_policy", category=dg.BetaWarning)
