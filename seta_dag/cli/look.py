"""`seta-dag ledger` and `seta-dag inspect`: looking at what was built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seta_dag.cli.common import OUT, STUDENT, VARIANT
from seta_dag.errors import ConfigError

if TYPE_CHECKING:
    from seta_dag.tokens.renderers.qwen3 import Variant


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


@click.command()
@click.argument("trial")
@OUT
@click.option("--variant", type=VARIANT, default="thinking", show_default=True)
@STUDENT
@click.option("--html", type=click.Path(path_type=Path), help="Write every token as one HTML file.")
def inspect(trial: str, out: str, variant: Variant, student: str, html: Path | None) -> None:
    """Show a row turn by turn: token spans, mask, first and last tokens, flags.

    TRIAL is a trial uid, or a task with one row.
    """
    from rich.console import Console

    from seta_dag.defs.resources import Project, StudentSettings
    from seta_dag.reports.row.inspection import inspect_trial
    from seta_dag.reports.row.page import as_html
    from seta_dag.reports.row.terminal import as_renderable
    from seta_dag.store.atomic import write_bytes

    found = inspect_trial(Project(out=out).target, trial, variant, StudentSettings(name=student).find())
    if html is None:
        Console(width=None if sys.stdout.isatty() else 160).print(as_renderable(found))
    else:
        write_bytes(html, as_html(found).encode())
        click.echo(f"{html}: every token of {found.row['trial_uid']}, {variant}")
