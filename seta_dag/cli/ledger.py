"""`seta-dag ledger`: what became of every trial."""

from __future__ import annotations

import click

from seta_dag.cli.common import OUT
from seta_dag.errors import ConfigError


@click.command()
@OUT
@click.option("--reason", help="Only trials dropped for this reason.")
def ledger(out: str, reason: str | None) -> None:
    """Show what became of every trial: a row, superseded, or dropped with a reason."""
    from seta_dag.dataset.ledger.ledger import REASONS, read_ledger
    from seta_dag.defs.resources import Project
    from seta_dag.reports.ledger_table import as_table
    from seta_dag.store.layout import existing

    if reason is not None and reason not in REASONS:
        raise ConfigError(f"reason {reason}: none of {', '.join(REASONS)}")
    lines = read_ledger(existing(Project(out=out).target.ledger, "ledger"))
    click.echo(as_table(line for line in lines if reason in (None, line["reason"])))
