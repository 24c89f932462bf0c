"""Optional filters: which rows the user leaves out, each with its reason. None by default."""

from __future__ import annotations

from dataclasses import dataclass

from seta_dag.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Filters:
    """Rows below `min_reward` or with more than `max_tokens` in either variant are dropped from both.

    Raises `ConfigError` for numbers that can't be meant.
    """

    min_reward: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.min_reward is not None and not 0 <= self.min_reward <= 1:
            raise ConfigError(f"min_reward {self.min_reward}: a reward lies between 0 and 1")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ConfigError(f"max_tokens {self.max_tokens}: give a whole number of at least 1")

    def reason(self, reward: float, tokens: int) -> tuple[str, str] | None:
        """(reason, detail) of the first filter that drops a row; `tokens` is its longer variant's."""
        if self.min_reward is not None and reward < self.min_reward:
            return "below_min_reward", f"reward {reward:g} is below {self.min_reward:g}"
        if self.max_tokens is not None and tokens > self.max_tokens:
            return "too_many_tokens", f"{tokens} tokens are more than {self.max_tokens}"
        return None
