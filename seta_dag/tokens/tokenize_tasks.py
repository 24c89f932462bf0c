"""Run the stage `tokens`: build the rows of each canonical trial, piece by piece.

Pieces are cut from the names of all tasks. The file of a piece is written anew if one of its tasks is built;
the rows of the other tasks are copied.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from seta_dag.executor.piece import Piece
from seta_dag.executor.pieces import cut
from seta_dag.executor.stage import Progress, Stage, StageReport, no_progress
from seta_dag.executor.workers import Workers
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.parse_reports import REPORTS
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.built import earlier_failures
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.row_settings import RowSettings
from seta_dag.tokens.tokenize_piece import Other, Shared, TaskInput, tokenize_piece


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
    todo = {task for task in tasks if task not in failed}
    groups = [group for group in cut(merged.fingerprints) if not todo.isdisjoint(group)]
    inputs = _inputs(out, merged, [task for group in groups for task in group])
    others = {
        task: Other(line, inputs[task])
        for task, line in OUTCOMES.current(out, merged.fingerprints).items()
        if line.failure is None and task in inputs and task not in todo
    }
    shared = Shared(root, out.pieces, settings, len(merged.canonical))
    pieces = [
        Piece({t: inputs[t] for t in group if t in todo}, shared, [others[t] for t in group if t in others])
        for group in groups
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
