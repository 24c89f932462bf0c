"""Run the stage `tokens`: build the rows of each canonical trial, piece by piece.

Pieces are cut from the names of all tasks. The file of a piece is written anew if one of its tasks is built;
the rows of the other tasks are copied.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from seta_dag.errors import ChangedError, NotBuiltError
from seta_dag.executor.pieces import cut
from seta_dag.executor.stage import (
    Built,
    Piece,
    Progress,
    Result,
    Stage,
    StageReport,
    attempt,
    no_progress,
)
from seta_dag.executor.stage_table import PieceFile, TaskLine
from seta_dag.executor.workers import Workers
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.fingerprint import task_fingerprint
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.parse_reports import REPORTS
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.built import earlier_failures
from seta_dag.tokens.example import build_row
from seta_dag.tokens.outcomes import OUTCOMES, TrialOutcome, outcome
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


def tokenize_tasks(
    out: OutputLayout,
    root: Path,
    merged: Merged,
    settings: RowSettings,
    tasks: Collection[str],
    tick: Progress = no_progress,
    workers: Workers | None = None,
) -> StageReport:
    """Build the rows of the trials of each task in `tasks`.

    `root` is the rollouts root. The stage `ctrf` must be built already. `tick` is called with
    `(done, total)` after each piece. Without `workers`, the work is done in this process; they make no
    difference to what is written.

    Returns the tasks built, those that failed with a sentence each, and the number of rows, drops by
    reason, flags and tokens.
    """
    failed = earlier_failures(out, merged.fingerprints)
    inputs = _inputs(out, merged, [task for task in tasks if task not in failed])
    built = {
        task: line
        for task, line in OUTCOMES.current(out, merged.fingerprints).items()
        if line.failure is None and task not in inputs
    }
    shared = Shared(root, out.pieces, settings, len(merged.canonical))
    pieces = [
        Piece({t: inputs[t] for t in some if t in inputs}, shared, [built[t] for t in some if t in built])
        for some in cut(merged.fingerprints)
        if not inputs.keys().isdisjoint(some)
    ]
    skipped = {task: failed[task] for task in tasks if task in failed}
    stage = Stage(out, OUTCOMES, merged.fingerprints)
    return stage.run(tokenize_piece, pieces, skipped=skipped, tick=tick, workers=workers)


def _inputs(out: OutputLayout, merged: Merged, tasks: Collection[str]) -> dict[str, TaskInput]:
    of_task, reported = merged.of_task(), REPORTS.built(out, merged.fingerprints)

    def task_input(task: str) -> TaskInput:
        trials, lines = tuple(of_task[task]), reported.get(task)
        canonical = None if lines is None else [one for one in lines if one.path in merged.canonical]
        reports = None if canonical is None else {one.path: one.report for one in canonical}
        return TaskInput(merged.fingerprints[task], trials, reports)

    return {task: task_input(task) for task in tasks}


def tokenize_piece(piece: Piece) -> Mapping[str, Result]:
    """Write the file of a piece: rows of the tasks that are built, and copies of the others' rows.

    The context of the piece are the lines of the other tasks.
    """
    shared: Shared = piece.shared
    copied: list[TaskLine[TrialOutcome]] = piece.context
    name = _file_name(piece, copied)
    with written_piece(shared.pieces / name) as file:
        results: dict[str, Result] = {
            task: attempt("tokens", lambda task=task: _build(shared, task, piece.tasks[task], file))  # type: ignore[misc]
            for task in piece.tasks
        }
        results |= {line.task: _copy(shared.pieces, line, file) for line in copied}
    done = PieceFile(name, file.checksum)
    return {
        task: result if isinstance(result, str) else result._replace(file=done)
        for task, result in results.items()
    }


def _file_name(piece: Piece, copied: list[TaskLine[TrialOutcome]]) -> str:
    """Return a name that no file with other rows has: an old file stays as it is while the table names it."""
    tasks = [(task, given.fingerprint) for task, given in piece.tasks.items()]
    known = [(line.task, line.fingerprint, line.file and line.file.checksum) for line in copied]
    return f"{hashlib.sha256(repr((tasks, known)).encode()).hexdigest()[:24]}.arrow"


def _build(shared: Shared, task: str, given: TaskInput, file: PieceWriter) -> Built:
    if given.reports is None:
        raise NotBuiltError(f"{task} has no test reports yet; materialize ctrf_reports first")
    maker, reports = shared.settings.maker(shared.n_trials), given.reports
    trials = [trial for trial in given.trials if trial.path in reports]
    rows = [build_row(shared.root, trial, reports[trial.path], maker, file) for trial in trials]
    # Taken again, so that a log that grew in the meantime is not recorded under the old fingerprint.
    if task_fingerprint(shared.root, given.trials, shared.settings.identity) != given.fingerprint:
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
