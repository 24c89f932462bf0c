"""A task that raises is reported, does not stop other tasks, and recovers in a later build."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from seta_dag.executor.stage import TASK_STAGES
from seta_dag.rollouts.merge import merge_runs
from seta_dag.tokens.student.student import Student
from seta_dag_tests.support.builds import Place, statuses, trial
from seta_dag_tests.support.damage import LINES

TASK = "multi_traj_task"
CHECK = dg.AssetCheckKey(dg.AssetKey("tokens"), "every_task_is_built")


def block_token_file(place: Place, student: Student) -> Path:
    """Create a directory at the path of the task's `tokens` file, so that writing it fails."""
    fingerprint = merge_runs(place.rollouts, "*", student.identity).fingerprints[TASK]
    path = place.out.task_file("tokens", TASK, fingerprint)
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)
    return path


READS = {
    "trials": "seta_dag.rollouts.collect_trials.log_files",
    "ctrf": "seta_dag.rollouts.parse_reports.read_report",
    "tokens": "seta_dag.tokens.example.choose",
}
"""Function through which each stage reads a trial."""


def break_disk(stage: str, place: Place, disk: pytest.MonkeyPatch) -> None:
    """Delete the stage's result for the task and make reading its trials raise in that stage."""
    module, name = READS[stage].rsplit(".", 1)
    read = getattr(import_module(module), name)

    def broken(trial: str | Path) -> object:
        if TASK in str(trial):
            raise OSError(5, "Input/output error", str(trial))
        return read(trial)

    disk.setattr(READS[stage], broken)
    LINES["empty"](place.out.journal(stage), f"{TASK}-")


def last_check(instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    """Return the latest evaluation of the check that every task is built."""
    (record,) = instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=1)
    assert record.event is not None and record.event.dagster_event is not None
    return record.event.dagster_event.asset_check_evaluation_data


def lines_of_task(place: Place) -> list[dict[str, Any]]:
    """Return the ledger lines of TASK."""
    return [line for line in place.ledger() if line["task_id"] == TASK]


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_task_that_raises_is_in_the_ledger_and_recovers(
    stage: str, place: Place, instance: dg.DagsterInstance
) -> None:
    visible = place.visible()
    others = [line for line in place.ledger() if line["task_id"] != TASK]
    with pytest.MonkeyPatch.context() as disk:
        break_disk(stage, place, disk)
        outcome = place.build(instance)
    assert outcome.rebuilt == 0 and outcome.failures
    sentence = f"{stage}: OSError: Input/output error"
    assert {(line["reason"], line["detail"]) for line in lines_of_task(place)} == {("task_failed", sentence)}
    assert [line for line in place.ledger() if line["task_id"] != TASK] == others
    assert not last_check(instance).passed and f"{TASK}: {sentence}" in str(last_check(instance).description)
    assert not place.build(instance).failures
    assert last_check(instance).passed
    assert place.visible() == visible


def test_blocked_token_file_is_in_the_ledger_and_recovers(
    place: Place, student: Student, instance: dg.DagsterInstance
) -> None:
    visible, blocked = place.visible(), block_token_file(place, student)
    assert place.build(instance).rebuilt == 0
    sentence = "tokens: IsADirectoryError: Is a directory"
    assert {(line["reason"], line["detail"]) for line in lines_of_task(place)} == {("task_failed", sentence)}
    blocked.rmdir()
    assert not place.build(instance).failures
    assert place.visible() == visible


def test_failed_task_is_retried_by_every_build(
    place: Place, student: Student, instance: dg.DagsterInstance
) -> None:
    block_token_file(place, student)
    first, second = place.build(instance), place.build(instance)
    assert (second.rebuilt, second.failures) == (0, first.failures) and first.failures


def test_failed_task_recovers_when_a_trial_changes(
    place: Place, student: Student, instance: dg.DagsterInstance
) -> None:
    block_token_file(place, student)
    place.build(instance)
    (trial(place.rollouts, f"{TASK}_t0") / "run_info.json").write_text("{}")
    assert not place.build(instance).failures
    assert {line["disposition"] for line in lines_of_task(place)} == {"row"}
    assert not place.out.built("failed")


def test_ui_shows_a_failed_task_as_a_failed_partition(
    place: Place, student: Student, instance: dg.DagsterInstance
) -> None:
    blocked = block_token_file(place, student)
    place.build(instance)
    assert statuses(instance, "tokens") == {
        task: "failed" if task == TASK else "materialized" for task in place.tasks()
    }
    blocked.rmdir()
    place.build(instance)
    assert set(statuses(instance, "tokens").values()) == {"materialized"}
