"""`seta-dag verify`: anyone's dataset, row by row, against the rules."""

from __future__ import annotations

import sys
from collections import Counter

import click

from seta_dag.cli.common import STUDENT
from seta_dag.cli.terminal import say


@click.command()
@click.argument("dataset")
@STUDENT
def verify(dataset: str, student: str | None) -> None:
    """Rebuild every row of a DATASET, a folder or a Hub id, and show where it differs.

    The dataset may be anyone's. For one of our own, the student is the one it was built for, and every column
    is compared with what the build wrote.

    Exit code 0: every row is equal, or its difference has a name. 1: a row is unexplained or was altered
    after the build, or the rows cannot be read. 2: neither a folder nor a dataset on the Hub.
    """
    from seta_dag.audit.as_built import verify_as_built
    from seta_dag.audit.claims import verify_counts
    from seta_dag.audit.verify import verify as run_verify
    from seta_dag.loaders.columns import dataset_folder, shards_in
    from seta_dag.options.resolve import resolve
    from seta_dag.tokens.proofs.loaded import loaded
    from seta_dag.tokens.student.student import find_student

    folder = dataset_folder(dataset)
    shards_in(folder)  # says what is missing before the tokenizer is loaded
    _, options = resolve({"out": str(folder.parent), "student": student})
    verdicts = run_verify(folder, loaded(find_student(options.student), "fastokens"))
    for row in verdicts:
        if row.verdict != "equal":
            say(f"{row.trial_uid}  {row.verdict}  {', '.join(row.differences) or row.detail}")
    altered = verify_as_built(folder)
    for sentence in [*altered, *verify_counts(folder)]:
        say(sentence)
    counts = Counter(row.verdict for row in verdicts)
    say(", ".join(f"{counts[kind]} {kind}" for kind in ("equal", "explained", "unexplained")))
    sys.exit(1 if counts["unexplained"] or altered else 0)
