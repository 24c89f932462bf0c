"""CTRF parsing, task by task: the report of every trial, superseded ones too."""

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
    """Parses the reports of the trials of `tasks`; counts tests by status and trials without a reward."""
    of_task = merged.of_task()

    def build(task: str) -> TaskResult:
        reports = {trial.path: read_report(root / trial.path) for trial in of_task[task]}
        return TaskResult(reports, sum((_counts(report) for report in reports.values()), Counter()))

    return run_stage(out, "ctrf", merged.fingerprints, tasks, build, tick=tick)


def reports_in(record: bytes) -> dict[str, Report]:
    """A task's reports by the trial's path, out of what the stage kept of it."""
    return {trial: Report(**report) for trial, report in orjson.loads(record).items()}


def _counts(report: Report) -> Counter[str]:
    tests = Counter({f"tests {status}": n for status, n in (report.statuses or {}).items()})
    return tests + Counter([report.reason or "verified"])
