"""The check for reasoning in a build: passed, a warning, or a failure of the build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.conversations import assistant, log, logged, user, write_log
from seta_dag_tests.support.rollouts import write_trial

CHECK = dg.AssetCheckKey(dg.AssetKey("thinking_dataset"), "there_is_reasoning")
SILENT = log(user("List."), assistant("I look."), user("And?"), answer=assistant("Done."))
THINKING = log(user("List."), answer=assistant("Done.", "Think."))
HELPER = log(user("Sum up."), answer=assistant("A list.", "Think."))


def evaluated(instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    (record,) = instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=1)
    assert record.event is not None and record.event.dagster_event is not None
    return record.event.dagster_event.asset_check_evaluation_data


@pytest.mark.parametrize(
    ("logs", "passed", "severity", "says"),
    [
        ([THINKING], True, "WARN", "1 of 1 assistant turns have reasoning"),
        ([SILENT], False, "WARN", "0 of 2 assistant turns have reasoning, and no log holds any"),
        ([SILENT, HELPER], False, "ERROR", "logs of these trials hold some: task_t0_ab"),
    ],
    ids=["thinking", "silent", "lost"],
)
def test_lost_reasoning_fails_the_build_and_a_silent_teacher_warns(
    logs: list[dict[str, Any]], passed: bool, severity: str, says: str, tmp_path: Path,
    instance: dg.DagsterInstance,
) -> None:  # fmt: skip
    place = Place(tmp_path)
    trial = write_trial(place.rollouts, "exp/kimi/trials/task_t0_ab")
    for old in trial.rglob("conv_*.json"):
        old.unlink()
    for number, one in enumerate(logs):
        write_log(trial, logged(one), f"{number}/conv_{9 - number}.json")
    done = place.build(instance)
    check = evaluated(instance)
    assert (check.passed, check.severity.value) == (passed, severity)
    assert says in str(check.description)
    assert any("there_is_reasoning" in failure for failure in done.failures) == (severity == "ERROR")
    assert (place.out.dataset("thinking") / "README.md").exists() == (severity != "ERROR")
