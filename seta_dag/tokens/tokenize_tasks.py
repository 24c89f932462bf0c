"""Run the stage `tokens`: build the rows of each canonical trial, task by task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from seta_dag.errors import ChangedError, NotBuiltError
from seta_dag.executor.stage import Progress, StageReport, TaskResult, no_progress, records, run_stage
from seta_dag.executor.workers import Deferred
from seta_dag.rollouts.fingerprint import task_fingerprint
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.parse_reports import reports_in
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.example import RowMaker, build_row
from seta_dag.tokens.outcomes import outcome
from seta_dag.tokens.task_file import task_file
from seta_dag.tokens.trial_row import TrialRow
from seta_dag.tokens.variants import VARIANTS


def tokenize_tasks(
    out: OutputLayout,
    root: Path,
    merged: Merged,
    maker: RowMaker,
    tasks: Iterable[str],
    tick: Progress = no_progress,
    workers: int | None = None,
) -> StageReport:
    """Write the stage file of each task in `tasks`.

    `root` is the rollouts root. The stage `ctrf` must be built already. `tick` is called with
    `(done, total)` after each task. The work is spread over `workers` threads, by default one per core; the
    number makes no difference to what is written.

    Returns the tasks built, those that failed with a sentence each, and the number of rows, drops by
    reason, flags and tokens.
    """
    of_task, reported = merged.of_task(), records(out, "ctrf", merged.fingerprints)

    def build(task: str) -> TaskResult:
        if task not in reported:
            raise NotBuiltError(f"{task} has no test reports yet; materialize ctrf_reports first")
        path = out.task_file("tokens", task, merged.fingerprints[task])
        trials = [trial for trial in of_task[task] if trial.path in merged.canonical]
        deferred = Deferred()
        with maker.lock, task_file(path) as file:
            reports = reports_in(reported[task])
            rows = [build_row(root, trial, reports[trial.path], maker, file, deferred) for trial in trials]
            # Taken again, so that a log that grew in the meantime is not recorded under the old fingerprint.
            if task_fingerprint(root, of_task[task], maker.student) != merged.fingerprints[task]:
                raise ChangedError("its rollouts or the student changed during the build; build again")
        deferred.run()  # outside the lock: the reference engine leaves the GIL to the next task
        return TaskResult([outcome(row) for row in rows], sum(map(_counts, rows), Counter()), file.checksum)

    return run_stage(out, "tokens", merged.fingerprints, tasks, build, tick=tick, workers=workers)


def _counts(row: TrialRow) -> Counter[str]:
    """Count one trial, under the labels that the asset's metadata shows."""
    counts = Counter([f"dropped: {row.reason}" if row.reason else "rows"])
    counts.update(f"flagged: {flag}" for flag in row.flags)
    counts["checked with the reference engine"] += row.against_reference
    for variant in VARIANTS if row.reason is None else ():  # only rows count as tokens
        counts[f"{variant} tokens"] += row.short_columns[f"{variant}.local_token_count"]
        counts[f"{variant} trainable tokens"] += row.short_columns[f"{variant}.n_assistant_tokens"]
    return counts
