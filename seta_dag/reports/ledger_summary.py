"""The ledger in numbers: what became of the trials, in all and per run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from seta_dag.dataset.ledger.ledger import count_dispositions, count_flags, count_reasons
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.reports.printable import on_one_line, printable


def ledger_summary(lines: Sequence[LedgerLine]) -> Group:
    """Return tables of the trials by outcome, the rows by flag, and both by run with the mean reward."""
    counts = count_dispositions(lines)
    outcomes = {"row": counts["row"], "superseded": counts["superseded"]} | count_reasons(lines)
    tables = [_counted("outcome", "trials", outcomes)]
    if flags := count_flags(lines):
        tables.append(_counted("flag", "rows", dict(sorted(flags.items(), key=lambda item: -item[1]))))
    return Group(*tables, _runs(lines))


def _counted(name: str, what: str, counts: dict[str, int]) -> Table:
    table = _table(name, what)
    for label, count in counts.items():
        table.add_row(label, f"{count:,}")
    return table


def _runs(lines: Sequence[LedgerLine]) -> Table:
    table = _table("run", "trials", "rows", "mean reward")
    runs = sorted({line.run for line in lines})
    for run in [*runs, *(["all"] if len(runs) > 1 else [])]:
        some = lines if run == "all" and run not in runs else [line for line in lines if line.run == run]
        rows = [line for line in some if line.disposition == "row"]
        mean = math.fsum(line.reward or 0.0 for line in rows) / len(rows) if rows else None
        shown = "" if mean is None else f"{mean:.3f}"
        table.add_row(Text(on_one_line(printable(run))), f"{len(some):,}", f"{len(rows):,}", shown)
    return table


def _table(name: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(name, overflow="fold")
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True)
    return table
