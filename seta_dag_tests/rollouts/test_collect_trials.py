"""Trials are recorded whatever is in their directories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seta_dag.rollouts.collect_trials import COLLECTED, CollectedTrial, collect_tasks
from seta_dag.rollouts.merge import merge_runs
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.conversations import write_log
from seta_dag_tests.support.rollouts import write_trial

TRIAL = "X/trials/task_t0_ab"
# Contents of run_info.json, and the termination reason and error stage of the record.
INFOS: dict[str, tuple[Any, str | None, str | None]] = {
    "finished": (
        {"agent_summary": {"termination_reason": "task_finished"}, "error_info": {}},
        "task_finished",
        None,
    ),
    "crashed": ({"error_info": {"stage": "1_reset_env", "error_message": "x"}}, None, "1_reset_env"),
    "missing": (None, None, None),
    "empty": ("", None, None),
    "truncated": ('{"agent_summary": {"termination_reason": "task', None, None),
    "a list": ([], None, None),
    "objects are null": ({"agent_summary": None, "error_info": None}, None, None),
    "reason is a number": ({"agent_summary": {"termination_reason": 7}}, None, None),
    "lone surrogate": ({"agent_summary": {"termination_reason": "\ud800"}}, "\ufffd", None),
    "nested too deep": ("[" * 100_000, None, None),
}


@pytest.mark.parametrize("name", INFOS)
def test_trial_is_recorded_if_its_run_info_is(name: str, tmp_path: Path) -> None:
    info, termination, stage = INFOS[name]
    trial = write_trial(tmp_path, TRIAL, info=info)
    write_log(trial, b"truncated", "helper/conv_2.json")
    merged, out = merge_runs(tmp_path, "*", "student"), OutputLayout(tmp_path / "out")
    assert collect_tasks(out, tmp_path, merged, ["task"]).failed == {}
    (record,) = COLLECTED.built(out, merged.fingerprints)["task"]
    assert record == CollectedTrial(TRIAL, True, 2, True, termination, stage)
