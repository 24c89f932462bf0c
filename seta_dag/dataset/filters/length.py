"""`--max-tokens`: drop rows that are too long."""

from __future__ import annotations

from typing import Any

from seta_dag.dataset.filters.base import Option, Signals
from seta_dag.errors import ConfigError
from seta_dag.rollouts.reasons import Reason


class MaxTokens:
    """Keep rows that have at most this many token ids in both variants."""

    name = "max_tokens"
    reason = Reason.TOO_MANY_TOKENS.value
    meaning = Reason.TOO_MANY_TOKENS.meaning
    wording = "maximum tokens"
    option = Option("--max-tokens", int, "Drop rows with more tokens than this in either variant.")

    def check(self, value: Any) -> int:
        if type(value) is not int or value < 1:
            raise ConfigError(f"max_tokens {value}: give a whole number of at least 1")
        return value

    def dropped(self, value: int, row: Signals) -> str | None:
        return f"{row.tokens} tokens are more than {value}" if row.tokens > value else None
