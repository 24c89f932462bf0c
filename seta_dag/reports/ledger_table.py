"""The ledger for a terminal: one line per trial, as wide as the terminal, or as wide as needed."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.reports.printable import on_one_line, printable

_WIDE = 120
"""Columns of a terminal from which on the run has room."""


def ledger_table(lines: Iterable[LedgerLine], width: int) -> Table:
    """Return a table for a terminal of this many columns.

    Names are folded rather than cut, and what is said about a trial is wrapped between words.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("trial", overflow="fold", max_width=max(width * 2 // 5, 20))
    if with_run := width >= _WIDE:
        table.add_column("run", overflow="fold", max_width=max(width // 4, 20))
    table.add_column("outcome", no_wrap=True)
    table.add_column("reward", no_wrap=True, justify="right")
    table.add_column("tokens", no_wrap=True, justify="right")
    table.add_column("flags and details", overflow="fold")
    for line in lines:
        run = [_text(line.run)] if with_run else []
        table.add_row(_text(line.trial_uid or line.task_id or ""), *run, *_outcome(line), _said(line))
    return table


def _outcome(line: LedgerLine) -> tuple[str, str, str]:
    reward = "" if line.reward is None else f"{line.reward:.3f}"
    tokens = f"{line.thinking_tokens:,}" if line.thinking_tokens is not None else ""
    return line.reason or line.disposition, reward, tokens


def _said(line: LedgerLine) -> Text:
    return _text("; ".join(part for part in (", ".join(line.flags), line.detail) if part))


def _text(words: str) -> Text:
    return Text(on_one_line(printable(words)))
