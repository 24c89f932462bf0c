"""Build the rows of one piece: what a worker does in the stage `tokens`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from seta_dag.errors import ChangedError, NotBuiltError
from seta_dag.executor.memory import give_back
from seta_dag.executor.piece import Built, Piece, Result, attempt
from seta_dag.executor.stage_table import PieceFile, TaskLine
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.fingerprint import task_fingerprint
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.store.integrity import is_intact
from seta_dag.tokens.example import build_row
from seta_dag.tokens.outcomes import TrialOutcome, outcome
from seta_dag.tokens.piece_file import PieceReader, PieceWriter, written_piece
from seta_dag.tokens.row_settings import RowSettings
from seta_dag.tokens.trial_row import TrialRow
from seta_dag.tokens.variants import VARIANTS


class TaskInput(NamedTuple):
    """What a worker needs to know of one task.

    Attributes:
        fingerprint: of the task, when its rollouts were merged.
        trials: its trials, including superseded ones.
        reports: the report of each canonical trial, by path; None if the stage `ctrf` is missing.
    """

    fingerprint: str
    trials: tuple[Trial, ...]
    reports: Mapping[str, Report] | None


class Other(NamedTuple):
    """A task of the piece that is built already: its line, and its input in case its file is damaged."""

    line: TaskLine[TrialOutcome]
    given: TaskInput


class Shared(NamedTuple):
    """What all pieces have in common.

    Attributes:
        root: the rollouts root.
        pieces: the folder of the pieces' files.
        settings: how rows are made.
        n_trials: number of canonical trials, on which the size of the sample depends.
    """

    root: Path
    pieces: Path
    settings: RowSettings
    n_trials: int


def tokenize_piece(piece: Piece) -> Mapping[str, Result]:
    """Write the file of a piece: rows of the tasks that are built, and copies of the others' rows.

    The context of the piece are the other tasks, as `Other`.
    """
    shared: Shared = piece.shared
    others: list[Other] = piece.context
    name = _file_name(piece, others)
    # Read as a whole, whatever their times: a damaged row must not get a new checksum by being copied.
    files = {other.line.file for other in others if other.line.file is not None}
    intact = {one for one in files if is_intact(shared.pieces / one.name, one.checksum)}
    with written_piece(shared.pieces / name) as file:
        results = {task: _attempt(shared, task, given, file) for task, given in piece.tasks.items()}
        for line, given in others:
            is_copied = line.file in intact
            results[line.task] = (
                _copy(shared.pieces, line, file) if is_copied else _attempt(shared, line.task, given, file)
            )
    give_back()  # otherwise each worker keeps what its largest piece has taken
    done = PieceFile(name, file.checksum)
    return {
        task: result if isinstance(result, str) else result._replace(file=done)
        for task, result in results.items()
    }


def _file_name(piece: Piece, others: list[Other]) -> str:
    """Return a name that no file with other rows has: an old file stays as it is while the table names it."""
    tasks = [(task, given.fingerprint) for task, given in piece.tasks.items()]
    known = [(line.task, line.fingerprint, line.file and line.file.checksum) for line, _ in others]
    return f"{hashlib.sha256(repr((tasks, known)).encode()).hexdigest()[:24]}.arrow"


def _attempt(shared: Shared, task: str, given: TaskInput, file: PieceWriter) -> Result:
    return attempt("tokens", lambda: _build(shared, task, given, file))


def _build(shared: Shared, task: str, given: TaskInput, file: PieceWriter) -> Built:
    if given.reports is None:
        raise NotBuiltError(f"{task} has no test reports yet; materialize ctrf_reports first")
    maker, reports = shared.settings.maker(shared.n_trials), given.reports
    trials = [trial for trial in given.trials if trial.path in reports]
    rows = [build_row(shared.root, trial, reports[trial.path], maker, file) for trial in trials]
    # Taken again, so that a log that grew in the meantime is not recorded under the old fingerprint.
    if task_fingerprint(shared.root, given.trials, shared.settings.row_identity) != given.fingerprint:
        raise ChangedError("its rollouts or the student changed during the build; build again")
    return Built(tuple(map(outcome, rows)), sum(map(_counts, rows), Counter()))


def _copy(pieces: Path, line: TaskLine[TrialOutcome], file: PieceWriter) -> Built:
    """Copy the rows of a task that is built; the stage's report does not count them."""
    assert line.file is not None  # noqa: S101 - this stage writes a file for each task
    source = PieceReader(pieces / line.file.name)
    records = tuple(
        replace(one, at=file.copy(source, one.at)) if one.reason is None else one for one in line.records
    )
    return Built(records, Counter())


def _counts(row: TrialRow) -> Counter[str]:
    """Count one trial, under the labels that the asset's metadata shows."""
    counts = Counter([f"dropped: {row.reason}" if row.reason else "rows"])
    counts.update(f"flagged: {flag}" for flag in row.flags)
    counts["checked with the reference engine"] += row.against_reference
    for variant in VARIANTS if row.reason is None else ():  # only rows count as tokens
        counts[f"{variant} tokens"] += row.counts[variant].local_token_count
        counts[f"{variant} trainable tokens"] += row.counts[variant].n_assistant_tokens
    return counts
