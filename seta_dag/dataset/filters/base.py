"""What a filter is, and what it can look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Signals:
    """What a filter sees of one row.

    Attributes:
        reward: passed / total tests, 0.0 to 1.0.
        tokens: number of token ids in the longer of the two variants.
        flags: names of the row's flags (`Flag`).
        n_messages: logged messages, including the final turn.
        n_assistant_turns: turns that the student learns from.
    """

    reward: float
    tokens: int
    flags: frozenset[str]
    n_messages: int
    n_assistant_turns: int


@dataclass(frozen=True, slots=True)
class Option:
    """The command-line option that sets a filter; the config file and Dagster derive theirs from it.

    Attributes:
        flag: for example `--min-reward`.
        kind: type of one value.
        help: one sentence for `--help` and Dagster's launchpad.
        multiple: whether it can be given several times; the value is then a tuple.
    """

    flag: str
    kind: type[float] | type[int] | type[str]
    help: str
    multiple: bool = False


class Filter(Protocol):
    """Drops rows from both variants. Every filter is optional and has one value.

    Attributes:
        name: key of its value in options, config files and run config; for example `min_reward`.
        reason: what the ledger gives as the reason of a dropped trial.
        meaning: what the reason means, for the card's table.
        wording: label of the value in the card's table "Build".
        option: its command-line option.
    """

    name: str
    reason: str
    meaning: str
    wording: str
    option: Option

    def check(self, value: Any) -> Any:
        """Return `value` in its proper type. Raises `ConfigError` for one that makes no sense."""

    def dropped(self, value: Any, row: Signals) -> str | None:
        """Say why the row is dropped, or None to keep it."""
