"""`--min-reward`: drop rows below a reward."""

from __future__ import annotations

from typing import Any

from seta_dag.dataset.filters.base import Option, Signals
from seta_dag.errors import ConfigError
from seta_dag.rollouts.reasons import Reason


class MinReward:
    """Keep rows whose reward is at least the value, 0 to 1."""

    name = "min_reward"
    reason = Reason.BELOW_MIN_REWARD.value
    meaning = Reason.BELOW_MIN_REWARD.meaning
    wording = "minimum reward"
    option = Option("--min-reward", float, "Drop rows with a lower reward (0 to 1).")

    def check(self, value: Any) -> float:
        is_number = isinstance(value, float | int) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= 1:  # NaN fails the comparison too
            raise ConfigError(f"min_reward {value}: a reward is a number from 0 to 1")
        return float(value)

    def dropped(self, value: float, row: Signals) -> str | None:
        return f"reward {row.reward:g} is below {value:g}" if row.reward < value else None
