"""`--drop-flag`: drop rows that have a flag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seta_dag.dataset.filters.base import Option, Signals
from seta_dag.errors import ConfigError
from seta_dag.rollouts.reasons import Flag, Reason


class DropFlags:
    """Keep rows that have none of these flags."""

    name = "drop_flag"
    reason = Reason.FLAGGED.value
    meaning = Reason.FLAGGED.meaning
    wording = "dropped flags"
    option = Option("--drop-flag", str, "Drop rows with this flag; can be repeated.", multiple=True)

    def check(self, value: Any) -> tuple[str, ...]:
        names = [value] if isinstance(value, str) else value
        unknown = (
            [name for name in names if name not in list(Flag)] if isinstance(names, Sequence) else [value]
        )
        if unknown:
            raise ConfigError(f"drop_flag {unknown[0]}: not a flag; the flags are {', '.join(Flag)}")
        return tuple(sorted(set(names)))

    def dropped(self, value: tuple[str, ...], row: Signals) -> str | None:
        found = ", ".join(name for name in value if name in row.flags)
        return f"it has the flag {found}" if found else None
