"""Trial collection and report parsing, task by task, whatever lies in a trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from seta_dag.executor.stage import records
from seta_dag.rollouts.collect_trials import collect_tasks
from seta_dag.rollouts.ctrf import REPORT, Report
from seta_dag.rollouts.merge import merge_runs
from seta_dag.rollouts.parse_reports import parse_tasks, reports_in
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.conversations import write_log
from seta_dag_tests.support.rollouts import write_trial

TRIAL = "X/trials/task_t0_ab"
INFOS: dict[str, tuple[Any, str | None, str | None]] = {
    "finished": (
        {"agent_summary": {"termination_reason": "task_finished"}, "error_info": {}},
        "task_finished",
        None,
    ),
    "crashed": ({"error_info": {"stage": "1_reset_env", "error_message": "x"}}, None, "1_reset_env"),
    "missing": (None, None, None),
    "empty": ("", None, None),
    "cut": ('{"agent_summary": {"termination_reason": "task', None, None),
    "a list": ([], None, None),
    "a summary that is null": ({"agent_summary": None, "error_info": None}, None, None),
    "a reason that is a number": ({"agent_summary": {"termination_reason": 7}}, None, None),
    "a lone surrogate": ({"agent_summary": {"termination_reason": "\ud800"}}, "\ufffd", None),
    "100,000 brackets": ("[" * 100_000, None, None),
}


@pytest.mark.parametrize("name", INFOS)
def test_a_trial_is_recorded(name: str, tmp_path: Path) -> None:
    info, termination, stage = INFOS[name]
    trial = write_trial(tmp_path, TRIAL, info=info)
    write_log(trial, b"cut", "helper/conv_2.json")
    merged, out = merge_runs(tmp_path, "*", "student"), OutputLayout(tmp_path / "out")
    assert collect_tasks(out, tmp_path, merged, ["task"]).failed == {}
    (record,) = orjson.loads(records(out, "trials", merged.fingerprints)["task"])
    assert (record["termination_reason"], record["error_stage"]) == (termination, stage)
    assert (record["path"], record["logs"], record["report"], record["canonical"]) == (TRIAL, 2, True, True)


STATUSES = '{"results": {"tests": [{"status": "passed"}, {"status": "\\ud800"}]}}'
REPORTS: dict[str, tuple[str, Report]] = {
    "a reward": ('{"results": {"summary": {"tests": 2, "passed": 1}}}', Report(1, 2)),
    "no tests": ('{"results": {"tests": []}}', Report(None, None, "no_tests", "an empty list of tests")),
    "a status that UTF-8 can't hold": (
        STATUSES,
        Report(1, 2, mismatch=True, statuses={"passed": 1, "\ufffd": 1}),
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_reports_are_read_back_as_they_were_parsed(name: str, tmp_path: Path) -> None:
    text, expected = REPORTS[name]
    (write_trial(tmp_path, TRIAL) / REPORT).write_text(text)
    merged, out = merge_runs(tmp_path, "*", "student"), OutputLayout(tmp_path / "out")
    assert parse_tasks(out, tmp_path, merged, ["task"]).failed == {}
    assert reports_in(records(out, "ctrf", merged.fingerprints)["task"]) == {TRIAL: expected}


def test_reports_that_were_not_parsed_are_none(tmp_path: Path) -> None:
    assert records(OutputLayout(tmp_path), "ctrf", {"task": "0"}) == {}
