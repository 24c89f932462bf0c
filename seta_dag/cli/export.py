"""`seta-dag export`: a dataset in another format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seta_dag.cli.common import CONFIG, OUT, VARIANT
from seta_dag.cli.terminal import say
from seta_dag.reports.plural import counted

if TYPE_CHECKING:
    from seta_dag.tokens.variants import Variant


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl"]),
    default="jsonl",
    show_default=True,
    help="Format of FILE.",
)
@OUT
@CONFIG
@click.option(
    "--variant", type=VARIANT, default="thinking", show_default=True, help="Which of the two datasets."
)
@click.argument("file", type=click.Path(path_type=Path))
def export(form: str, out: str | None, config: Path | None, variant: Variant, file: Path) -> None:
    """Write a dataset to FILE as JSON lines: one object per row, columns in order."""
    from seta_dag.loaders.jsonl import export_jsonl
    from seta_dag.options.resolve import resolve

    layout, _ = resolve({"out": out}, config=config)
    rows = export_jsonl(layout.dataset(variant), file)
    say(f"{file}: {counted(rows, 'row')} of {variant} as {form}")
