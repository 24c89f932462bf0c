"""`seta-dag verify`: anyone's dataset, row by row, against the rules."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seta_dag.cli.common import STUDENT
from seta_dag.cli.terminal import progress_bar, say
from seta_dag.reports.printable import json_line

if TYPE_CHECKING:
    from seta_dag.audit.verify import RowVerdict


@click.command(short_help="Rebuild every row of a dataset and compare.")
@click.argument("dataset")
@STUDENT
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per row instead.")
def verify(dataset: str, student: str | None, as_json: bool) -> None:
    """Rebuild every row of a DATASET and show where it differs.

    It is a folder, a Parquet or JSON lines file, or a Hub id, and may be anyone's. For one of our own, the
    student is the one it was built for, and every column is compared with what the build wrote.

    Exit code 0: every row is equal, or its difference has a name. 1: a row is unexplained or was altered
    after the build, or the rows cannot be read. 2: neither a folder nor a dataset on the Hub.
    """
    from seta_dag.audit.as_built import verify_as_built
    from seta_dag.audit.claims import verify_counts
    from seta_dag.loaders.columns import dataset_folder

    source = Path(dataset) if Path(dataset).is_file() else dataset_folder(dataset)
    found = []
    for row in _verdicts(source, student):
        found.append(row)
        if as_json:
            say(json_line(asdict(row)))
        elif row.verdict != "equal":
            say(f"{row.trial_uid}  {row.verdict}  {', '.join(row.differences) or row.detail}")
    altered = verify_as_built(source) if source.is_dir() else []
    claims = verify_counts(source) if source.is_dir() else []
    if not as_json:
        _summarize(found, [*altered, *claims])
    sys.exit(1 if altered or any(row.verdict == "unexplained" for row in found) else 0)


def _verdicts(source: Path, student: str | None) -> Iterator[RowVerdict]:
    from seta_dag.audit.rows import count_rows
    from seta_dag.audit.verify import verdicts
    from seta_dag.options.resolve import resolve
    from seta_dag.tokens.proofs.loaded import loaded
    from seta_dag.tokens.student.student import find_student

    total = count_rows(source)  # says what is missing before the tokenizer is loaded
    _, options = resolve({"out": str(source.parent), "student": student})
    prover = loaded(find_student(options.student), "fastokens")
    return progress_bar(verdicts(source, prover), total, "rows verified")


def _summarize(found: Iterable[RowVerdict], sentences: Iterable[str]) -> None:
    from seta_dag.audit.reference_rules import DIFFERENCES

    rows = list(found)
    for sentence in sentences:
        say(sentence)
    names = Counter(name for row in rows for name in row.differences)
    for name, number in names.most_common():
        say(f"{number:>7,} {name}: {DIFFERENCES[name]}")
    counts = Counter(row.verdict for row in rows)
    say(", ".join(f"{counts[kind]} {kind}" for kind in ("equal", "explained", "unexplained")))
