"""`seta-dag ledger`: what became of every trial."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seta_dag.cli.common import CONFIG, OUT
from seta_dag.cli.terminal import say, show, width
from seta_dag.errors import ConfigError

if TYPE_CHECKING:
    from seta_dag.dataset.ledger.line import LedgerLine


@click.command(short_help="Show what became of every trial.")
@OUT
@CONFIG
@click.option("--reason", help="Only trials that were dropped for this reason.")
@click.option("--flag", help="Only trials that have this flag.")
@click.option("--task", help="Only trials of this task.")
@click.option("--run", help="Only trials of this run: its path below the rollouts, or its name.")
@click.option("--summary", "form", flag_value="summary", help="Count them by outcome, flag and run instead.")
@click.option("--json", "form", flag_value="json", help="Print one JSON object per trial and line.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with a heading.")
def ledger(
    out: str | None,
    config: Path | None,
    reason: str | None,
    flag: str | None,
    task: str | None,
    run: str | None,
    form: str | None,
) -> None:
    """Show what became of every trial: a row, superseded, or dropped with a reason."""
    from seta_dag.dataset.ledger.ledger import read_ledger
    from seta_dag.options.resolve import resolve
    from seta_dag.store.layout import existing

    _require_known(reason, flag)
    layout, _ = resolve({"out": out}, config=config)
    lines = read_ledger(existing(layout.ledger, "ledger"))
    wanted = {"reason": reason, "task_id": task}
    _show(
        [
            line
            for line in lines
            if all(value in (None, getattr(line, name)) for name, value in wanted.items())
            and (flag is None or flag in line.flags)
            and run in (None, line.run, line.run.rpartition("/")[2])
        ],
        form,
    )


def _require_known(reason: str | None, flag: str | None) -> None:
    from seta_dag.dataset.filters.registry import reasons
    from seta_dag.rollouts.reasons import Flag

    if reason is not None and reason not in reasons():
        raise ConfigError(f"reason {reason}: not a reason; the reasons are {', '.join(reasons())}")
    if flag is not None and flag not in list(Flag):
        raise ConfigError(f"flag {flag}: not a flag; the flags are {', '.join(Flag)}")


def _show(lines: Iterable[LedgerLine], form: str | None) -> None:
    from seta_dag.reports.ledger_data import as_csv, as_json_lines
    from seta_dag.reports.ledger_summary import ledger_summary
    from seta_dag.reports.ledger_table import ledger_table
    from seta_dag.reports.plural import counted

    found = list(lines)
    if form in ("json", "csv"):
        if text := (as_json_lines if form == "json" else as_csv)(found):
            say(text)
        return
    show(ledger_summary(found) if form == "summary" else ledger_table(found, width()))
    say(counted(len(found), "trial"))
