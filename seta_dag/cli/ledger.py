"""`seta-dag ledger`: what became of every trial."""

from __future__ import annotations

from pathlib import Path

import click

from seta_dag.cli.common import CONFIG, OUT
from seta_dag.errors import ConfigError


@click.command()
@OUT
@CONFIG
@click.option("--reason", help="Only trials that were dropped for this reason.")
@click.option("--flag", help="Only trials that have this flag.")
def ledger(out: str | None, config: Path | None, reason: str | None, flag: str | None) -> None:
    """Show what became of every trial: a row, superseded, or dropped with a reason."""
    from seta_dag.dataset.filters.registry import reasons
    from seta_dag.dataset.ledger.ledger import read_ledger
    from seta_dag.options.resolve import resolve
    from seta_dag.reports.ledger_table import as_table
    from seta_dag.rollouts.reasons import Flag
    from seta_dag.store.layout import existing

    if reason is not None and reason not in reasons():
        raise ConfigError(f"reason {reason}: not a reason; the reasons are {', '.join(reasons())}")
    if flag is not None and flag not in list(Flag):
        raise ConfigError(f"flag {flag}: not a flag; the flags are {', '.join(Flag)}")
    layout, _ = resolve({"out": out}, config=config)
    lines = read_ledger(existing(layout.ledger, "ledger"))
    shown = (line for line in lines if flag is None or flag in line.flags)
    click.echo(as_table(line for line in shown if reason in (None, line.reason)))
