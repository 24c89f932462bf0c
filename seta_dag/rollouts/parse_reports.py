"""The stage `ctrf`: the test report of every trial, including superseded ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import orjson

from seta_dag.executor.stage import Progress, StageReport, StageWork, TaskResult, no_progress, run_stage
from seta_dag.executor.workers import Workers
from seta_dag.rollouts.ctrf import Report, read_report
from seta_dag.rollouts.merge import Merged
from seta_dag.store.layout import OutputLayout


def parse_tasks(
    out: OutputLayout,
    root: Path,
    merged: Merged,
    tasks: Iterable[str],
    tick: Progress = no_progress,
    workers: Workers | None = None,
) -> StageReport:
    """Parse the reports of all trials of `tasks`; `workers` are by default this process.

    The report counts tests by status, verified trials, and trials without a reward by reason.
    """
    trials_of = merged.of_task()
    inputs = {task: [trial.path for trial in trials_of[task]] for task in tasks}
    work = StageWork("ctrf", parse_task, root)
    return run_stage(out, merged.fingerprints, work, inputs, tick=tick, workers=workers)


def parse_task(root: Path, task: str, trials: list[str]) -> TaskResult:
    """Parse the reports of one task's trials, which are paths below `root`."""
    reports = {trial: read_report(root / trial) for trial in trials}
    return TaskResult(reports, sum((_counts(report) for report in reports.values()), Counter()))


def reports_in(record: bytes) -> dict[str, Report]:
    """Return the reports in a task's record of the stage `ctrf`, by path of the trial."""
    return {trial: Report(**report) for trial, report in orjson.loads(record).items()}


def _counts(report: Report) -> Counter[str]:
    tests = Counter({f"tests {status}": n for status, n in (report.statuses or {}).items()})
    return tests + Counter([report.reason or "verified"])
