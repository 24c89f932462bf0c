"""The ledger as a table for a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table

from seta_dag.dataset.ledger.line import LedgerLine

_COLUMNS = (
    "task_id",
    "trial_uid",
    "run",
    "disposition",
    "reason",
    "reward",
    "thinking_tokens",
    "flags",
    "detail",
)


def as_table(lines: Iterable[LedgerLine]) -> str:
    """Return one row per trial. Nothing is truncated: the table is as wide as its longest cells."""
    table = Table(*_COLUMNS, box=box.SIMPLE_HEAD, pad_edge=False)
    for line in lines:
        table.add_row(*(_cell(getattr(line, column)) for column in _COLUMNS))
    text = io.StringIO()
    console = Console(file=text, width=1000, highlight=False, markup=False)
    console.print(table)
    console.print(f"{table.row_count} trials")
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
