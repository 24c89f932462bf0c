"""A task that raises is reported, does not stop other tasks, and recovers in a later build."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from seta_dag.rollouts.merge import read_merged
from seta_dag.tokens.built import STAGES, failures
from seta_dag_tests.support.builds import Place, statuses, trial
from seta_dag_tests.support.made import drop_line

TASK = "multi_traj_task"
CHECK = dg.AssetCheckKey(dg.AssetKey("tokens"), "every_task_is_built")


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
    (table,) = (table for table in STAGES if table.stage == stage)
    drop_line(place.out, table, TASK)


@pytest.fixture
def unreadable(place: Place) -> Iterator[pytest.MonkeyPatch]:
    """The logs of the task cannot be read until this is undone."""
    with pytest.MonkeyPatch.context() as disk:
        break_disk("tokens", place, disk)
        yield disk


def last_check(instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    """Return the latest evaluation of the check that every task is built."""
    (record,) = instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=1)
    assert record.event is not None and record.event.dagster_event is not None
    return record.event.dagster_event.asset_check_evaluation_data


def lines_of_task(place: Place) -> list[dict[str, Any]]:
    """Return the ledger lines of TASK."""
    return [line for line in place.ledger() if line.task_id == TASK]


@pytest.mark.parametrize("stage", [table.stage for table in STAGES])
def test_task_that_raises_is_in_the_ledger_and_recovers(
    stage: str, place: Place, instance: dg.DagsterInstance
) -> None:
    visible = place.visible()
    others = [line for line in place.ledger() if line.task_id != TASK]
    with pytest.MonkeyPatch.context() as disk:
        break_disk(stage, place, disk)
        outcome = place.build(instance)
    assert outcome.rebuilt == 0 and outcome.failures
    sentence = f"{stage}: Input/output error"
    assert {(line.reason, line.detail) for line in lines_of_task(place)} == {("task_failed", sentence)}
    assert [line for line in place.ledger() if line.task_id != TASK] == others
    assert not last_check(instance).passed and f"{TASK}: {sentence}" in str(last_check(instance).description)
    assert not place.build(instance).failures
    assert last_check(instance).passed
    assert place.visible() == visible


def test_failed_task_is_retried_by_every_build(
    place: Place, unreadable: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    first, second = place.build(instance), place.build(instance)
    assert (second.rebuilt, second.failures) == (0, first.failures) and first.failures


def test_failed_task_recovers_when_a_trial_changes(
    place: Place, unreadable: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    place.build(instance)
    unreadable.undo()
    (trial(place.rollouts, f"{TASK}_t0") / "run_info.json").write_text("{}")
    assert not place.build(instance).failures
    assert {line.disposition for line in lines_of_task(place)} == {"row"}
    assert not failures(place.out, read_merged(place.out.resume_chain).fingerprints)


def test_ui_shows_a_failed_task_as_a_failed_partition(
    place: Place, unreadable: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    place.build(instance)
    assert statuses(instance, "tokens") == {
        task: "failed" if task == TASK else "materialized" for task in place.tasks()
    }
    unreadable.undo()
    place.build(instance)
    assert set(statuses(instance, "tokens").values()) == {"materialized"}
