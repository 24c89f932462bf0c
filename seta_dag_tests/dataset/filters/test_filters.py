"""Filters: which rows the user leaves out, and which numbers can't be meant."""

from __future__ import annotations

import math
from typing import Any

import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.errors import ConfigError

KEPT: list[tuple[Filters, float, int]] = [
    (Filters(), 0.0, 10**9),
    (Filters(min_reward=0.0), 0.0, 1),
    (Filters(min_reward=0.5), 0.5, 1),
    (Filters(min_reward=1.0), 1.0, 1),
    (Filters(max_tokens=1), 0.0, 1),
    (Filters(0.5, 100), 0.5, 100),
]
DROPPED: list[tuple[Filters, float, int, tuple[str, str]]] = [
    (Filters(min_reward=0.5), 0.25, 1, ("below_min_reward", "reward 0.25 is below 0.5")),
    (Filters(min_reward=1.0), 2 / 3, 1, ("below_min_reward", "reward 0.666667 is below 1")),
    (Filters(max_tokens=99), 1.0, 100, ("too_many_tokens", "100 tokens are more than 99")),
    (Filters(0.5, 99), 0.0, 100, ("below_min_reward", "reward 0 is below 0.5")),
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"min_reward": -0.1}, "min_reward -0.1"),
    ({"min_reward": 1.1}, "min_reward 1.1"),
    ({"min_reward": math.nan}, "min_reward nan"),
    ({"min_reward": math.inf}, "min_reward inf"),
    ({"max_tokens": 0}, "max_tokens 0"),
    ({"max_tokens": -5}, "max_tokens -5"),
]


@pytest.mark.parametrize(("filters", "reward", "tokens"), KEPT)
def test_a_row_on_the_bound_stays(filters: Filters, reward: float, tokens: int) -> None:
    assert filters.reason(reward, tokens) is None


@pytest.mark.parametrize(("filters", "reward", "tokens", "reason"), DROPPED)
def test_a_row_beyond_it_is_dropped_for_the_first_reason(
    filters: Filters, reward: float, tokens: int, reason: tuple[str, str]
) -> None:
    assert filters.reason(reward, tokens) == reason


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_numbers_that_can_not_be_meant_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Filters(**given)
