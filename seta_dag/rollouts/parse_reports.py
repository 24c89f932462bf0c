"""The stage `ctrf`: the test report of every trial, including superseded ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import orjson

from seta_dag.executor.stage import Progress, StageReport, TaskResult, no_progress, run_stage
from seta_dag.rollouts.ctrf import Report, read_report
from seta_dag.rollouts.merge import Merged
from seta_dag.store.layout import OutputLayout


def parse_tasks(
    out: OutputLayout, root: Path, merged: Merged, tasks: Iterable[str], tick: Progress = no_progress
) -> StageReport:
    """Parse the reports of all trials of `tasks`.

    The report counts tests by status, verified trials, and trials without a reward by reason.
    """
    trials_of = merged.of_task()

    def build(task: str) -> TaskResult:
        reports = {trial.path: read_report(root / trial.path) for trial in trials_of[task]}
        return TaskResult(reports, sum((_counts(report) for report in reports.values()), Counter()))

    return run_stage(out, "ctrf", merged.fingerprints, tasks, build, tick=tick)


def reports_in(record: bytes) -> dict[str, Report]:
    """Return the reports in a task's record of the stage `ctrf`, by path of the trial."""
    return {trial: Report(**report) for trial, report in orjson.loads(record).items()}


def _counts(report: Report) -> Counter[str]:
    tests = Counter({f"tests {status}": n for status, n in (report.statuses or {}).items()})
    return tests + Counter([report.reason or "verified"])
