"""`seta-dag verify`: anyone's dataset, row by row, against the rules."""

from __future__ import annotations

import sys
from collections import Counter

import click


@click.command()
@click.argument("dataset")
def verify(dataset: str) -> None:
    """Rebuild every row of somebody's DATASET, a folder or a Hub id, and say where it differs.

    Exit code 0: every row is equal or its difference has a name. 1: some row is not explained, or the
    rows can't be read. 2: neither a folder nor a dataset on the Hub.
    """
    from seta_dag.audit.verify import verify as run_verify
    from seta_dag.audit.verify import verify_counts
    from seta_dag.loaders.columns import dataset_folder

    folder = dataset_folder(dataset)
    verdicts = run_verify(folder)
    for row in verdicts:
        if row.verdict != "equal":
            click.echo(f"{row.trial_uid}  {row.verdict}  {', '.join(row.differences) or row.detail}")
    for sentence in verify_counts(folder):
        click.echo(sentence)
    counts = Counter(row.verdict for row in verdicts)
    click.echo(", ".join(f"{counts[kind]} {kind}" for kind in ("equal", "explained", "unexplained")))
    sys.exit(1 if counts["unexplained"] else 0)
