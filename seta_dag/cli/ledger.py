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
def ledger(out: str | None, config: Path | None, reason: str | None) -> None:
    """Show what became of every trial: a row, superseded, or dropped with a reason."""
    from seta_dag.dataset.filters.registry import reasons
    from seta_dag.dataset.ledger.ledger import read_ledger
    from seta_dag.options.resolve import resolve
    from seta_dag.reports.ledger_table import as_table
    from seta_dag.store.layout import existing

    if reason is not None and reason not in reasons():
        raise ConfigError(f"reason {reason}: not a reason; the reasons are {', '.join(reasons())}")
    layout, _ = resolve({"out": out}, config=config)
    lines = read_ledger(existing(layout.ledger, "ledger"))
    click.echo(as_table(line for line in lines if reason in (None, line["reason"])))
