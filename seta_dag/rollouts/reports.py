"""CTRF parsing, task by task: the report of every trial, superseded ones too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import orjson

from seta_dag.files import write_json
from seta_dag.out import Out
from seta_dag.rollouts.ctrf import Report, read_report
from seta_dag.rollouts.merged import Merged
from seta_dag.stages import StageReport, run_stage


def parse_tasks(out: Out, root: Path, merged: Merged, tasks: Iterable[str]) -> StageReport:
    """Parses the reports of the trials of `tasks`; counts tests by status and trials without a reward."""
    of_task = merged.of_task()

    def build(task: str, path: Path) -> Counter[str]:
        reports = {trial.path: read_report(root / trial.path) for trial in of_task[task]}
        write_json(path, {trial: asdict(report) for trial, report in reports.items()})
        return sum((_counts(report) for report in reports.values()), Counter())

    return run_stage(out, "ctrf", merged.fingerprints, tasks, build)


def read_reports(out: Out, task: str, fingerprint: str) -> dict[str, Report] | None:
    """The task's reports by the trial's path; None where they were not parsed yet."""
    path = out.task_file("ctrf", task, fingerprint)
    if not path.is_file():
        return None
    return {trial: Report(**report) for trial, report in orjson.loads(path.read_bytes()).items()}


def _counts(report: Report) -> Counter[str]:
    tests = Counter({f"tests {status}": n for status, n in (report.statuses or {}).items()})
    return tests + Counter([report.reason or "verified"])
