"""`seta-dag inspect`: one row, turn by turn or token by token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seta_dag.cli.common import CONFIG, OUT, STUDENT, VARIANT
from seta_dag.cli.terminal import say, show

if TYPE_CHECKING:
    from seta_dag.tokens.variants import Variant


@click.command(short_help="Show a row turn by turn.")
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
    from seta_dag.options.resolve import resolve
    from seta_dag.reports.row.inspection import inspect_trial
    from seta_dag.reports.row.page import as_html
    from seta_dag.reports.row.terminal import as_renderable, log_line
    from seta_dag.store.atomic import write_bytes
    from seta_dag.tokens.student.student import find_student

    layout, options = resolve({"out": out, "student": student}, config=config)
    found = inspect_trial(layout, trial, variant, find_student(options.student))
    if html is None:
        show(as_renderable(found))
        say(log_line(found))
    else:
        write_bytes(html, as_html(found).encode())
        say(f"{html}: every token of {found.row['trial_uid']}, {variant}")
