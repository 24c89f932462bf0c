"""The filters of one build, with their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seta_dag.dataset.filters.base import Filter, Signals
from seta_dag.dataset.filters.registry import FILTERS
from seta_dag.errors import ConfigError


@dataclass(frozen=True, init=False)
class Filters:
    """Which rows a build drops. Without values it keeps every row.

    Attributes:
        values: the value of each filter that is set, by name: `Filters(min_reward=0.5).values` is
            `{"min_reward": 0.5}`.
    """

    values: dict[str, Any]

    def __init__(self, **given: Any) -> None:
        """Check the values; None and an empty list leave a filter unset.

        Raises:
            ConfigError: for a value that makes no sense, or a filter that does not exist.
        """
        unknown = given.keys() - {one.name for one in FILTERS}
        if unknown:
            raise ConfigError(f"{', '.join(sorted(unknown))}: no such filter")
        is_set = {name for name, value in given.items() if value is not None and value not in ((), [])}
        values = {one.name: one.check(given[one.name]) for one in FILTERS if one.name in is_set}
        object.__setattr__(self, "values", values)

    def reason(self, row: Signals) -> tuple[str, str] | None:
        """Return (reason, detail) of the first filter that drops the row, None to keep it."""
        for one, value in self._set():
            detail = one.dropped(value, row)
            if detail is not None:
                return one.reason, detail
        return None

    def wordings(self) -> list[tuple[str, str]]:
        """Return (label, value) of every filter for the card; `none` where it is not set."""
        return [(one.wording, _shown(self.values.get(one.name))) for one in FILTERS]

    def _set(self) -> Iterator[tuple[Filter, Any]]:
        return ((one, self.values[one.name]) for one in FILTERS if one.name in self.values)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
