"""The files under the output directory decide what is built, whatever the instance has recorded."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from seta_dag.definitions import code_location
from seta_dag.defs.build.plan import DATASET_ASSETS, TASK_ASSETS
from seta_dag.defs.partitions import registered
from seta_dag_tests.support.builds import Place, statuses, take, trial

RANGE = "dagster/asset_partition_range_{}"


def ui_shows_all_built(instance: dg.DagsterInstance, place: Place) -> bool:
    """Return whether the UI shows exactly the tasks as built, and so every asset over all tasks."""
    tasks = {asset: statuses(instance, asset) for asset in TASK_ASSETS}
    wanted = dict.fromkeys(place.tasks(), "materialized")
    whole = [instance.get_latest_materialization_event(dg.AssetKey(name)) for name in DATASET_ASSETS]
    return all(found == wanted for found in tasks.values()) and None not in whole


def planned_tasks(instance: dg.DagsterInstance, asset: str) -> list[str | None]:
    """Return the partitions of an asset that the last run planned to build, sorted."""
    (run,) = instance.get_runs(limit=1)
    events = [entry.dagster_event for entry in instance.all_logs(run.run_id)]
    found = [event for event in events if event and event.is_asset_materialization_planned]
    return sorted(str(event.partition) for event in found if event.asset_key == dg.AssetKey(asset))


def test_fresh_instance_shows_a_built_directory_as_built_and_then_runs_nothing(
    place: Place, instance: dg.DagsterInstance
) -> None:
    stages, visible = place.stage_files(), place.visible()
    outcome = place.build(instance)
    assert (outcome.rebuilt, outcome.failures) == (0, ())
    assert ui_shows_all_built(instance, place)
    assert (place.stage_files(), place.visible()) == (stages, visible)
    runs = instance.get_runs_count()
    assert place.build(instance).rebuilt == 0
    assert instance.get_runs_count() == runs


def test_emptied_output_directory_is_built_again(place: Place, instance: dg.DagsterInstance) -> None:
    place.build(instance)
    visible = place.visible()
    shutil.rmtree(place.out.root)
    assert place.build(instance).rebuilt == len(place.tasks())
    assert place.visible() == visible
    assert ui_shows_all_built(instance, place)


@pytest.mark.parametrize(
    "lost", ["ledger.parquet", "thinking", "nothink/README.md", "nothink/data", "stages"]
)
def test_lost_part_of_the_output_is_written_again(
    lost: str, place: Place, instance: dg.DagsterInstance
) -> None:
    place.build(instance)
    visible, path = place.visible(), place.out.root / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert not place.build(instance).failures
    assert place.visible() == visible


def test_instance_of_other_rollouts_builds_the_ones_given(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    place.build(instance)
    other = Place(tmp_path / "other")
    take(other.rollouts / "exp/kimi", "a_t0", "stack_overflow__101")
    assert other.build(instance).rebuilt == 2
    assert ui_shows_all_built(instance, other)
    assert {line.disposition for line in other.ledger()} == {"row"}


def test_moved_output_is_not_built_again(place: Place, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    place.build(instance)
    visible, stages = place.visible(), place.stage_files()
    moved = Place(place.folder.rename(tmp_path / "moved"))
    assert moved.build(instance).rebuilt == 0
    assert (moved.visible(), moved.stage_files()) == (visible, stages)


def test_scattered_changes_are_built_in_one_run_over_exactly_these_tasks(
    place: Place, instance: dg.DagsterInstance
) -> None:
    place.build(instance)
    runs = instance.get_runs_count()
    for name in ("a_t0", "stack_overflow__100"):
        (trial(place.rollouts, name) / "run_info.json").write_text("{}")
    assert place.build(instance).rebuilt == 2
    assert instance.get_runs_count() == runs + 1
    assert [planned_tasks(instance, asset) for asset in TASK_ASSETS] == [["a", "stack_overflow__100"]] * 3
    assert [len(planned_tasks(instance, asset)) for asset in DATASET_ASSETS] == [1] * len(DATASET_ASSETS)
    assert ui_shows_all_built(instance, place)


def run_over(place: Place, instance: dg.DagsterInstance, start: str, end: str) -> str:
    """Start a run over a range by hand, and return the error of its failure."""
    job = code_location().resolve_job_def("build")
    tags = {RANGE.format("start"): start, RANGE.format("end"): end}
    config = place.request().run_config()
    result = job.execute_in_process(config, instance, tags=tags, raise_on_error=False)
    assert not result.success
    return str(result.failure_data_for_node("trials").error)


def test_run_over_an_empty_range_fails_and_says_so(place: Place, instance: dg.DagsterInstance) -> None:
    place.build(instance)
    first, *_, last = registered(instance)
    assert "the range contains no task; see the registered tasks" in run_over(place, instance, last, first)


def test_run_over_a_task_without_a_trial_fails_and_says_so(
    place: Place, instance: dg.DagsterInstance
) -> None:
    place.build(instance)
    instance.add_dynamic_partitions("task", ["gone"])
    assert "none of the 1 requested tasks has a trial" in run_over(place, instance, "gone", "gone")


def stale(instance: dg.DagsterInstance, assets: Iterable[str]) -> list[tuple[str, str]]:
    """Return (asset, task) for all partitions that the UI shows as stale."""
    graph, loading = code_location().resolve_asset_graph(), LoadingContextForTest(instance)
    resolver = CachingStaleStatusResolver(instance, graph, loading)
    tasks = instance.get_dynamic_partitions("task")
    found = {
        (asset, task): resolver.get_status(dg.AssetKey(asset), task) for asset in assets for task in tasks
    }
    return [which for which, status in found.items() if status != StaleStatus.FRESH]


def test_merge_does_not_make_unchanged_tasks_stale(place: Place, on_disk: dg.DagsterInstance) -> None:
    shutil.rmtree(place.out.root)
    place.build(on_disk)
    assert stale(on_disk, TASK_ASSETS) == []
    take(place.rollouts / "exp/kimi_resume", "stack_overflow__101")
    assert place.build(on_disk).rebuilt == 1
    assert stale(on_disk, TASK_ASSETS) == []


def test_task_reported_as_built_is_not_stale(place: Place, instance: dg.DagsterInstance) -> None:
    place.build(instance)
    assert stale(instance, TASK_ASSETS) == []
