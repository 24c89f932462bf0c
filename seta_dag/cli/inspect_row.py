"""`seta-dag inspect`: one row, turn by turn or token by token."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seta_dag.cli.common import CONFIG, OUT, STUDENT, VARIANT

if TYPE_CHECKING:
    from seta_dag.tokens.variants import Variant


@click.command()
@click.argument("trial")
@OUT
@click.option(
    "--variant", type=VARIANT, default="thinking", show_default=True, help="Which of the two datasets."
)
@STUDENT
@CONFIG
@click.option("--html", type=click.Path(path_type=Path), help="Write every token to one HTML file.")
def inspect(
    trial: str, out: str | None, variant: Variant, student: str | None, config: Path | None, html: Path | None
) -> None:
    """Show a row turn by turn: token spans, mask, first and last tokens, flags.

    TRIAL is a trial uid, or a task with one row.
    """
    from rich.console import Console

    from seta_dag.options.resolve import resolve
    from seta_dag.reports.row.inspection import inspect_trial
    from seta_dag.reports.row.page import as_html
    from seta_dag.reports.row.terminal import as_renderable
    from seta_dag.store.atomic import write_bytes
    from seta_dag.tokens.student.student import find_student

    layout, options = resolve({"out": out, "student": student}, config=config)
    found = inspect_trial(layout, trial, variant, find_student(options.student))
    if html is None:
        Console(width=None if sys.stdout.isatty() else 160).print(as_renderable(found))
    else:
        write_bytes(html, as_html(found).encode())
        click.echo(f"{html}: every token of {found.row['trial_uid']}, {variant}")
