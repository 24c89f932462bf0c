"""Asset checks: each reads what was written again, and compares it with an independent source.

`accounts` has those of tasks and trials, `dataset` those of shards, `card` those of the cards. All of them
can be run again from the UI; they only read.
"""

from seta_dag.defs.checks.accounts import every_task_is_built, every_trial_is_accounted_for
from seta_dag.defs.checks.card import CARD_CHECKS
from seta_dag.defs.checks.dataset import DATASET_CHECKS, there_is_reasoning

CHECKS = [
    every_task_is_built,
    every_trial_is_accounted_for,
    *DATASET_CHECKS,
    there_is_reasoning,
    *CARD_CHECKS,
]
