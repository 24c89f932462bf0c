"""Filters: which rows a build drops, why, and which values are refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from seta_dag.dataset.filters import registry
from seta_dag.dataset.filters.base import Option, Signals
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import FILTERS, reasons, register
from seta_dag.errors import ConfigError
from seta_dag.rollouts.reasons import Flag, Reason


def row(reward: float = 1.0, tokens: int = 1, *flags: str) -> Signals:
    return Signals(reward, tokens, frozenset(flags), n_messages=3, n_assistant_turns=1)


KEPT: list[tuple[dict[str, Any], Signals]] = [
    ({}, row(0.0, 10**9, "log_skipped")),
    ({"min_reward": 0.0}, row(0.0)),
    ({"min_reward": 0.5}, row(0.5)),
    ({"min_reward": 1}, row(1.0)),
    ({"max_tokens": 1}, row(0.0)),
    ({"min_reward": 0.5, "max_tokens": 100}, row(0.5, 100)),
    ({"drop_flag": "log_skipped"}, row(1.0, 1, "bad_content")),
    ({"drop_flag": []}, row(1.0, 1, "bad_content")),
    ({"min_reward": None, "max_tokens": None, "drop_flag": ()}, row(0.0, 10**9, "bad_content")),
]
DROPPED: list[tuple[dict[str, Any], Signals, tuple[str, str]]] = [
    ({"min_reward": 0.5}, row(0.25), ("below_min_reward", "reward 0.25 is below 0.5")),
    ({"min_reward": 1.0}, row(2 / 3), ("below_min_reward", "reward 0.666667 is below 1")),
    ({"max_tokens": 99}, row(1.0, 100), ("too_many_tokens", "100 tokens are more than 99")),
    (
        {"min_reward": 0.5, "max_tokens": 99},
        row(0.0, 100),
        ("below_min_reward", "reward 0 is below 0.5"),
    ),
    (
        {"drop_flag": ["log_skipped", "bad_content"], "min_reward": 0.5},
        row(0.0, 1, "log_skipped", "bad_content", "ctrf_mismatch"),
        ("flagged", "it has the flag bad_content, log_skipped"),
    ),
]
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"min_reward": -0.1}, "min_reward -0.1: a reward is a number from 0 to 1"),
    ({"min_reward": 1.1}, "min_reward 1.1"),
    ({"min_reward": math.nan}, "min_reward nan"),
    ({"min_reward": math.inf}, "min_reward inf"),
    ({"min_reward": True}, "min_reward True"),
    ({"min_reward": "0.5"}, "min_reward 0.5"),
    ({"max_tokens": 0}, "max_tokens 0: give a whole number of at least 1"),
    ({"max_tokens": -5}, "max_tokens -5"),
    ({"max_tokens": 1.5}, "max_tokens 1.5"),
    ({"max_tokens": True}, "max_tokens True"),
    ({"drop_flag": ["log_skipped", "nonsense"]}, "drop_flag nonsense: not a flag; the flags are bad_arg"),
    ({"drop_flag": 7}, "drop_flag 7: not a flag"),
    ({"other": 1}, "other: no such filter"),
]


@pytest.mark.parametrize(("values", "signals"), KEPT)
def test_row_on_the_bound_is_kept(values: dict[str, Any], signals: Signals) -> None:
    assert Filters(**values).reason(signals) is None


@pytest.mark.parametrize(("values", "signals", "reason"), DROPPED)
def test_row_beyond_the_bound_is_dropped_for_the_first_reason(
    values: dict[str, Any], signals: Signals, reason: tuple[str, str]
) -> None:
    assert Filters(**values).reason(signals) == reason


@pytest.mark.parametrize(("values", "sentence"), REFUSED)
def test_value_that_makes_no_sense_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Filters(**values)


def test_card_shows_every_filter() -> None:
    shown = dict(Filters(min_reward=0.5, max_tokens=16384).wordings())
    assert shown == {"minimum reward": "0.5", "maximum tokens": "16,384", "dropped flags": "none"}
    assert Filters(drop_flag=[*Flag]).wordings()[0] == ("dropped flags", ", ".join(Flag))


def test_reasons_and_flags_have_a_meaning_each() -> None:
    assert list(reasons()) == list(Reason)
    meanings = [*reasons().values(), *(flag.meaning for flag in Flag)]
    assert all(meanings) and len(set(meanings)) == len(meanings)


class MaxTurns:
    """A filter as a user writes it."""

    name, reason, meaning, wording = "max_turns", "too_many_turns", "more turns than asked for", "most turns"
    option = Option("--max-turns", int, "Drop rows with more assistant turns.")

    def check(self, value: Any) -> int:
        return int(value)

    def dropped(self, value: int, row: Signals) -> str | None:
        return f"{row.n_assistant_turns} turns" if row.n_assistant_turns > value else None


@pytest.fixture
def own() -> Iterator[None]:
    """The user's filter, registered for one test."""
    register(MaxTurns())
    yield
    registry.FILTERS.pop()


def test_own_filter_is_one_of_the_filters(own: None) -> None:
    filters = Filters(max_turns=0, min_reward=0.5)
    assert filters.reason(row()) == ("too_many_turns", "1 turns")
    assert filters.reason(row(0.0)) == ("below_min_reward", "reward 0 is below 0.5")
    assert filters.wordings()[-1] == ("most turns", "0")
    assert list(reasons())[-1] == "too_many_turns"


def test_own_filter_needs_a_name_and_a_reason_of_its_own(own: None) -> None:
    with pytest.raises(ConfigError, match="max_turns: its name or its reason"):
        register(MaxTurns())
    assert [one.name for one in FILTERS].count("max_turns") == 1
