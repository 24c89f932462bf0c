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


@click.command(short_help="Write a dataset in a form that trainers read.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "labels", "messages"]),
    default="jsonl",
    show_default=True,
    help="jsonl: all 13 columns. labels: input_ids, attention_mask and labels. messages: messages and tools.",
)
@OUT
@CONFIG
@click.option(
    "--variant", type=VARIANT, default="thinking", show_default=True, help="Which of the two datasets."
)
@click.argument("file", type=click.Path(path_type=Path))
def export(form: str, out: str | None, config: Path | None, variant: Variant, file: Path) -> None:
    """Write a dataset to FILE, as Parquet or JSON lines by its ending (.parquet or .jsonl).

    Trainers that take token ids, such as TRL and axolotl, need labels: they then train on exactly the trained
    tokens. Those that render conversations, such as LLaMA-Factory, ms-swift and verl, need messages.
    """
    from seta_dag.loaders.exports import export_dataset
    from seta_dag.options.resolve import resolve

    layout, _ = resolve({"out": out}, config=config)
    rows = export_dataset(layout.dataset(variant), file, form)
    say(f"{file}: {counted(rows, 'row')} of {variant} as {form}")
