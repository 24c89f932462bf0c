"""The stage `ctrf`: the test report of every trial, including superseded ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from seta_dag.executor.piece import Built, Piece, Result, each
from seta_dag.executor.pieces import cut
from seta_dag.executor.stage import Progress, Stage, StageReport, no_progress
from seta_dag.executor.stage_table import StageTable
from seta_dag.executor.workers import Workers
from seta_dag.rollouts.collect_trials import COLLECTED
from seta_dag.rollouts.ctrf import Report, read_report
from seta_dag.rollouts.merge import Merged
from seta_dag.store.layout import OutputLayout


@dataclass(frozen=True, slots=True)
class TrialReport:
    """The report of one trial; all but `path` as in `Report`."""

    path: str
    passed: int | None
    total: int | None
    reason: str | None
    detail: str | None
    mismatch: bool

    @property
    def report(self) -> Report:
        """What it says, without the number of tests by status."""
        return Report(self.passed, self.total, self.reason, self.detail, self.mismatch)


REPORTS = StageTable("ctrf", TrialReport)


def parse_tasks(
    out: OutputLayout,
    root: Path,
    merged: Merged,
    tasks: Collection[str],
    tick: Progress = no_progress,
    workers: Workers | None = None,
) -> StageReport:
    """Parse the reports of all trials of `tasks`; `workers` are by default this process.

    The report counts tests by status, verified trials, and trials without a reward by reason.
    """
    failed, trials_of = COLLECTED.failed(out, merged.fingerprints), merged.of_task()
    todo = [task for task in tasks if task not in failed]
    pieces = [Piece({task: [t.path for t in trials_of[task]] for task in some}, root) for some in cut(todo)]
    skipped = {task: failed[task] for task in tasks if task in failed}
    stage = Stage(out, REPORTS, merged.fingerprints)
    return stage.run(parse_piece, pieces, skipped=skipped, tick=tick, workers=workers)


def parse_piece(piece: Piece) -> Mapping[str, Result]:
    """Parse the reports of some tasks; the input of a task is the paths of its trials."""
    return each("ctrf", _parse_task, piece)


def _parse_task(root: Path, task: str, trials: list[str]) -> Built:
    reports = {trial: read_report(root / trial) for trial in trials}
    records = tuple(_record(path, report) for path, report in reports.items())
    return Built(records, sum((_counts(report) for report in reports.values()), Counter()))


def _record(path: str, report: Report) -> TrialReport:
    reason = report.reason and str(report.reason)
    return TrialReport(path, report.passed, report.total, reason, report.detail, report.mismatch)


def _counts(report: Report) -> Counter[str]:
    tests = Counter({f"tests {status}": n for status, n in (report.statuses or {}).items()})
    return tests + Counter([report.reason or "verified"])
