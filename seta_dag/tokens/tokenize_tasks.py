"""Run the stage `tokens`: build the rows of each canonical trial, task by task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from seta_dag.errors import ChangedError, NotBuiltError
from seta_dag.executor.stage import (
    Progress,
    StageReport,
    StageWork,
    TaskResult,
    no_progress,
    records,
    run_stage,
)
from seta_dag.executor.workers import Workers
from seta_dag.rollouts.fingerprint import task_fingerprint
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.parse_reports import reports_in
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.example import build_row
from seta_dag.tokens.outcomes import outcome
from seta_dag.tokens.row_settings import RowSettings
from seta_dag.tokens.task_file import task_file
from seta_dag.tokens.trial_row import TrialRow
from seta_dag.tokens.variants import VARIANTS


class TaskInput(NamedTuple):
    """What a worker needs to know of one task.

    Attributes:
        path: where its stage file goes.
        fingerprint: of the task, when its rollouts were merged.
        trials: its trials, including superseded ones.
        canonical: paths of the canonical ones.
        reports: its record of the stage `ctrf`, None if that stage is missing.
    """

    path: Path
    fingerprint: str
    trials: tuple[Trial, ...]
    canonical: frozenset[str]
    reports: bytes | None


def tokenize_tasks(
    out: OutputLayout,
    root: Path,
    merged: Merged,
    settings: RowSettings,
    tasks: Iterable[str],
    tick: Progress = no_progress,
    workers: Workers | None = None,
) -> StageReport:
    """Write the stage file of each task in `tasks`.

    `root` is the rollouts root. The stage `ctrf` must be built already. `tick` is called with
    `(done, total)` after each piece. `workers` are by default this process; they make no difference to what
    is written.

    Returns the tasks built, those that failed with a sentence each, and the number of rows, drops by
    reason, flags and tokens.
    """
    of_task, reported = merged.of_task(), records(out, "ctrf", merged.fingerprints)

    def task_input(task: str) -> TaskInput:
        fingerprint, trials = merged.fingerprints[task], tuple(of_task[task])
        path = out.task_file("tokens", task, fingerprint)
        canonical = frozenset(trial.path for trial in trials) & merged.canonical
        return TaskInput(path, fingerprint, trials, canonical, reported.get(task))

    work = StageWork("tokens", tokenize_task, (root, settings))
    inputs = {task: task_input(task) for task in tasks}
    return run_stage(out, merged.fingerprints, work, inputs, tick=tick, workers=workers)


def tokenize_task(shared: tuple[Path, RowSettings], task: str, given: TaskInput) -> TaskResult:
    """Write the stage file of one task; its record has the outcome of each canonical trial."""
    root, settings = shared
    if given.reports is None:
        raise NotBuiltError(f"{task} has no test reports yet; materialize ctrf_reports first")
    maker, reports = settings.maker(), reports_in(given.reports)
    trials = [trial for trial in given.trials if trial.path in given.canonical]
    with task_file(given.path) as file:
        rows = [build_row(root, trial, reports[trial.path], maker, file) for trial in trials]
        # Taken again, so that a log that grew in the meantime is not recorded under the old fingerprint.
        if task_fingerprint(root, given.trials, settings.identity) != given.fingerprint:
            raise ChangedError("its rollouts or the student changed during the build; build again")
    return TaskResult([outcome(row) for row in rows], sum(map(_counts, rows), Counter()), file.checksum)


def _counts(row: TrialRow) -> Counter[str]:
    """Count one trial, under the labels that the asset's metadata shows."""
    counts = Counter([f"dropped: {row.reason}" if row.reason else "rows"])
    counts.update(f"flagged: {flag}" for flag in row.flags)
    counts["checked with the reference engine"] += row.against_reference
    for variant in VARIANTS if row.reason is None else ():  # only rows count as tokens
        counts[f"{variant} tokens"] += row.short_columns[f"{variant}.local_token_count"]
        counts[f"{variant} trainable tokens"] += row.short_columns[f"{variant}.n_assistant_tokens"]
    return counts
