"""Reports are parsed task by task and read back as they were parsed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seta_dag.rollouts.ctrf import REPORT, Report
from seta_dag.rollouts.merge import merge_runs
from seta_dag.rollouts.parse_reports import REPORTS, parse_tasks
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.rollouts import write_trial

TRIAL = "X/trials/task_t0_ab"
STATUSES = '{"results": {"tests": [{"status": "passed"}, {"status": "\\ud800"}]}}'
TEXTS: dict[str, tuple[str, Report]] = {
    "reward": ('{"results": {"summary": {"tests": 2, "passed": 1}}}', Report(1, 2)),
    "no tests": ('{"results": {"tests": []}}', Report(None, None, "no_tests", "an empty list of tests")),
    "status with a lone surrogate": (
        STATUSES,
        Report(1, 2, mismatch=True, statuses={"passed": 1, "\ufffd": 1}),
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_report_is_read_back_as_it_was_parsed(name: str, tmp_path: Path) -> None:
    text, expected = TEXTS[name]
    (write_trial(tmp_path, TRIAL) / REPORT).write_text(text)
    merged, out = merge_runs(tmp_path, "*", "student"), OutputLayout(tmp_path / "out")
    assert parse_tasks(out, tmp_path, merged, ["task"]).failed == {}
    (record,) = REPORTS.built(out, merged.fingerprints)["task"]
    assert (record.path, record.report) == (TRIAL, replace(expected, statuses=None))


def test_reports_that_were_not_parsed_are_missing(tmp_path: Path) -> None:
    assert REPORTS.built(OutputLayout(tmp_path), {"task": "0"}) == {}
