"""Ticks of the sensor and the schedule: one run for all changes, or a reason to skip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.definitions import code_location
from seta_dag.defs.automation import INPUTS_TAG
from seta_dag.defs.build.plan import DATASET_ASSETS, HUB_ASSETS, TASK_ASSETS
from seta_dag.defs.partitions import registered
from seta_dag.tokens.student.student import Student
from seta_dag_tests.support.builds import Place, built_plainly, statuses, take, trial

HOLD_LOCK = """
import pathlib, select, sys
from seta_dag.store.lock import locked
with locked(pathlib.Path(sys.argv[1]), lambda: None):
    print("locked", flush=True)
    select.select([sys.stdin], [], [], 600)  # until the test closes stdin; 600 s in case it never does
"""


@pytest.fixture(autouse=True)
def _settings(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment as for `dagster dev`, with no quiet time required after a change."""
    monkeypatch.setenv("SETA_ROLLOUTS", str(place.rollouts))
    monkeypatch.setenv("SETA_OUT", str(place.out.root))
    monkeypatch.setenv("SETA_QUIET_SECONDS", "0")


def tick(instance: dg.DagsterInstance) -> dg.RunRequest | str:
    """Evaluate the sensor once: its run request, or its reason to skip."""
    with dg.build_sensor_context(instance) as context:
        data = code_location().resolve_sensor_def("new_rollouts").evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else str(data.skip_message)


def requested(instance: dg.DagsterInstance) -> dg.RunRequest:
    """Evaluate the sensor once and require a run request."""
    request = tick(instance)
    assert isinstance(request, dg.RunRequest), request
    return request


def run(instance: dg.DagsterInstance, request: dg.RunRequest) -> bool:
    """Execute a run request as the daemon does; True on success."""
    selection = list(request.asset_selection) if request.asset_selection else None
    job = code_location().resolve_job_def("build")
    return job.execute_in_process(
        request.run_config, instance, tags=request.tags, asset_selection=selection, raise_on_error=False
    ).success


def tasks_of(instance: dg.DagsterInstance, request: dg.RunRequest) -> set[str]:
    """Return the tasks in the partition range of a request."""
    known = registered(instance)
    start, end = (
        known.index(request.tags[f"dagster/asset_partition_range_{bound}"]) for bound in ("start", "end")
    )
    return set(known[start : end + 1])


@contextmanager
def locked_elsewhere(place: Place) -> Iterator[None]:
    """Hold the lock of OUT in another process."""
    command = [sys.executable, "-c", HOLD_LOCK, str(place.out.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"locked\n"
        yield
        process.communicate()


def test_new_and_changed_tasks_are_registered_and_requested_in_one_run(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    take(place.rollouts / "exp/kimi_resume", "stack_overflow__101")
    (trial(place.rollouts, "a_t0") / "run_info.json").write_text("{}")
    request = requested(instance)
    assert tasks_of(instance, request) == {"a", "stack_overflow__101"}
    assert sorted(registered(instance)) == place.tasks()
    assert run(instance, request)
    assert place.visible() == built_plainly(place, tmp_path / "scratch").visible()
    for asset in TASK_ASSETS:
        assert statuses(instance, asset) == dict.fromkeys(place.tasks(), "materialized")
    assert tick(instance) == f"nothing new: all {len(place.tasks())} tasks are built"


def test_removed_task_requests_a_run_without_partitions(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    shutil.rmtree(trial(place.rollouts, "a_t0"))
    request = requested(instance)
    assert not [tag for tag in request.tags if "partition_range" in tag]
    assert {key.to_user_string() for key in request.asset_selection or ()} == {*DATASET_ASSETS, *HUB_ASSETS}
    assert "a" not in registered(instance)
    assert run(instance, request)
    assert place.visible() == built_plainly(place, tmp_path / "scratch").visible()
    assert str(tick(instance)).startswith("nothing new")


def test_sensor_waits_while_a_build_runs(place: Place, instance: dg.DagsterInstance) -> None:
    take(place.rollouts / "exp/kimi_resume", "stack_overflow__101")
    with locked_elsewhere(place):
        assert tick(instance) == f"a rebuild is writing to {place.out.root}; waiting for it to finish"
    assert tasks_of(instance, requested(instance)) == {"stack_overflow__101"}


def test_sensor_waits_while_rollouts_are_written(
    place: Place, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETA_QUIET_SECONDS", "600")
    written = trial(place.rollouts, "a_t0") / "run_info.json"
    written.write_text("{}")
    reason = tick(instance)
    assert isinstance(reason, str) and reason.startswith("rollouts are still being written")
    assert 0 < float(reason.split()[-2]) <= 600
    for path in (written.parent, *written.parent.rglob("*")):
        os.utime(path, (1, 1))
    assert tasks_of(instance, requested(instance)) == {"a"}


def test_sensor_does_not_wait_for_files_that_affect_no_row(
    place: Place, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETA_QUIET_SECONDS", "600")
    (trial(place.rollouts, "a_t0") / "trial.log").write_text("not used in any row")
    request = tick(instance)
    assert not isinstance(request, dg.RunRequest) or not tasks_of(instance, request)


@pytest.mark.parametrize("by", ["the sensor", "a person"])
def test_cancelled_run_is_not_requested_again_until_something_changes(
    by: str, place: Place, instance: dg.DagsterInstance
) -> None:
    (trial(place.rollouts, "a_t0") / "run_info.json").write_text("{}")
    request = requested(instance)
    job = code_location().resolve_job_def("build")
    cancelled = instance.create_run_for_job(job, tags=request.tags if by == "the sensor" else None)
    instance.report_run_canceling(cancelled)
    assert tick(instance) == f"run {cancelled.run_id[:8]} was cancelled; the next change is built"
    instance.report_run_canceled(cancelled)
    assert (
        tick(instance)
        == tick(instance)
        == f"run {cancelled.run_id[:8]} was cancelled; the next change is built"
    )
    (trial(place.rollouts, "a_t0") / "run_info.json").write_text("{ }")
    assert tasks_of(instance, requested(instance)) == {"a"}


def test_failed_run_is_not_requested_again_until_something_changes(
    place: Place, instance: dg.DagsterInstance, student: Student
) -> None:
    (trial(place.rollouts, "a_t0") / "run_info.json").write_text("{}")
    place.out.ledger.unlink()
    (place.out.ledger / "in the way").mkdir(parents=True)
    assert not run(instance, requested(instance))
    assert "failed on exactly these rollouts" in str(tick(instance))
    (trial(place.rollouts, "a_t0") / "run_info.json").write_text("{ }")
    assert tasks_of(instance, requested(instance)) == {"a"}


def unreadable(trial: Path) -> None:
    raise OSError(5, "Input/output error", str(trial))


def test_failed_task_is_reported_and_retried_when_it_changes(
    place: Place, instance: dg.DagsterInstance
) -> None:
    info = trial(place.rollouts, "a_t0") / "run_info.json"
    info.write_text("{}")
    with pytest.MonkeyPatch.context() as disk:
        disk.setattr("seta_dag.tokens.example.choose", unreadable)
        assert not run(instance, requested(instance))
    reason = tick(instance)
    assert isinstance(reason, str) and "1 failed" in reason
    info.write_text("{ }")
    request = requested(instance)
    assert tasks_of(instance, request) == {"a"}
    assert run(instance, request)


def test_queued_run_is_not_requested_again(place: Place, instance: dg.DagsterInstance) -> None:
    take(place.rollouts / "exp/kimi_resume", "stack_overflow__101")
    request = requested(instance)
    job = code_location().resolve_job_def("build")
    waiting = instance.create_run_for_job(job, tags={INPUTS_TAG: request.tags[INPUTS_TAG]})
    assert tick(instance) == f"run {waiting.run_id[:8]} is about to build this"


def test_requested_run_keeps_the_filters_of_the_last_build(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    filters = Filters(min_reward=0.7)
    place.build(instance, filters=filters)
    assert str(tick(instance)).startswith("nothing new")
    take(place.rollouts / "exp/kimi_resume", "stack_overflow__101")
    assert run(instance, requested(instance))
    assert place.visible() == built_plainly(place, tmp_path / "scratch", filters=filters).visible()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "SETA_ROLLOUTS",
            "nowhere",
            "nowhere: no such directory; give the directory that holds the rollouts",
        ),
        ("SETA_QUIET_SECONDS", "soon", "SETA_QUIET_SECONDS soon: give a number of seconds"),
    ],
)
def test_bad_configuration_skips_the_tick_with_a_reason(
    name: str,
    value: str,
    reason: str,
    place: Place,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take(place.rollouts / "exp/kimi_resume", "stack_overflow__101")
    monkeypatch.chdir(place.folder)  # "nowhere" does not exist here
    monkeypatch.setenv(name, value)
    assert tick(instance) == reason


def test_schedule_requests_the_same_run_as_the_sensor(place: Place, on_disk: dg.DagsterInstance) -> None:
    take(place.rollouts / "exp/kimi_resume", "stack_overflow__101")
    with dg.build_schedule_context(on_disk) as context:
        data = code_location().resolve_schedule_def("nightly_rebuild").evaluate_tick(context)
    (request,) = data.run_requests or ()
    by_sensor = requested(on_disk)
    assert (request.run_config, request.asset_selection) == (by_sensor.run_config, by_sensor.asset_selection)
    assert tasks_of(on_disk, request) == tasks_of(on_disk, by_sensor) == {"stack_overflow__101"}
    assert request.tags[INPUTS_TAG] == by_sensor.tags[INPUTS_TAG]


def test_schedule_is_off_by_default_and_its_cron_is_configurable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETA_NIGHTLY_CRON", "15 4 * * 1")
    schedule = code_location().resolve_schedule_def("nightly_rebuild")
    assert schedule.cron_schedule == "15 4 * * 1"
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert code_location().resolve_sensor_def("new_rollouts").default_status == dg.DefaultSensorStatus.RUNNING
