"""What is built is decided by the files under OUT; the instance follows them, whatever it remembers."""

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


def everything_is_green(instance: dg.DagsterInstance, place: Place) -> bool:
    """Whether the UI shows each task, and nothing else, as built, and every asset over all tasks."""
    tasks = {asset: statuses(instance, asset) for asset in TASK_ASSETS}
    wanted = dict.fromkeys(place.tasks(), "materialized")
    whole = [instance.get_latest_materialization_event(dg.AssetKey(name)) for name in DATASET_ASSETS]
    return all(found == wanted for found in tasks.values()) and None not in whole


def planned(instance: dg.DagsterInstance, asset: str) -> list[str | None]:
    """The partitions of an asset that the last run was to build."""
    (run,) = instance.get_runs(limit=1)
    events = [entry.dagster_event for entry in instance.all_logs(run.run_id)]
    found = [event for event in events if event and event.is_asset_materialization_planned]
    return sorted(str(event.partition) for event in found if event.asset_key == dg.AssetKey(asset))


def test_a_fresh_instance_over_a_built_out_shows_it_as_built_and_then_runs_nothing(
    place: Place, instance: dg.DagsterInstance
) -> None:
    stages, visible = place.stage_files(), place.visible()
    outcome = place.build(instance)
    assert (outcome.rebuilt, outcome.failures) == (0, ())
    assert everything_is_green(instance, place)
    assert (place.stage_files(), place.visible()) == (stages, visible)
    runs = instance.get_runs_count()
    assert place.build(instance).rebuilt == 0
    assert instance.get_runs_count() == runs


def test_an_out_that_was_emptied_is_built_again(place: Place, instance: dg.DagsterInstance) -> None:
    place.build(instance)
    visible = place.visible()
    shutil.rmtree(place.out.root)
    assert place.build(instance).rebuilt == len(place.tasks())
    assert place.visible() == visible
    assert everything_is_green(instance, place)


@pytest.mark.parametrize(
    "lost", ["ledger.parquet", "thinking", "nothink/README.md", "nothink/data", "stages"]
)
def test_a_part_of_out_that_was_lost_comes_back(
    lost: str, place: Place, instance: dg.DagsterInstance
) -> None:
    place.build(instance)
    visible, path = place.visible(), place.out.root / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert not place.build(instance).failures
    assert place.visible() == visible


def test_an_instance_that_remembers_other_rollouts_builds_these(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    place.build(instance)
    other = Place(tmp_path / "other")
    take(other.rollouts / "exp/kimi", "a_t0", "stack_overflow__101")
    assert other.build(instance).rebuilt == 2
    assert everything_is_green(instance, other)
    assert {line["disposition"] for line in other.ledger()} == {"row"}


def test_a_moved_out_is_not_built_again(place: Place, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    place.build(instance)
    visible, stages = place.visible(), place.stage_files()
    moved = Place(place.folder.rename(tmp_path / "moved"))
    assert moved.build(instance).rebuilt == 0
    assert (moved.visible(), moved.stage_files()) == (visible, stages)


def test_scattered_changes_are_one_run_over_exactly_these_tasks(
    place: Place, instance: dg.DagsterInstance
) -> None:
    place.build(instance)
    runs = instance.get_runs_count()
    for name in ("a_t0", "stack_overflow__100"):
        (trial(place.rollouts, name) / "run_info.json").write_text("{}")
    assert place.build(instance).rebuilt == 2
    assert instance.get_runs_count() == runs + 1
    assert [planned(instance, asset) for asset in TASK_ASSETS] == [["a", "stack_overflow__100"]] * 3
    assert [len(planned(instance, asset)) for asset in DATASET_ASSETS] == [1] * len(DATASET_ASSETS)
    assert everything_is_green(instance, place)


def run_over(place: Place, instance: dg.DagsterInstance, start: str, end: str) -> str:
    """What a run over that range, asked for by hand, says that it failed of."""
    job = code_location().resolve_job_def("build")
    tags = {RANGE.format("start"): start, RANGE.format("end"): end}
    config = place.request().run_config()
    result = job.execute_in_process(config, instance, tags=tags, raise_on_error=False)
    assert not result.success
    return str(result.failure_data_for_node("trials").error)


def test_a_range_that_names_no_task_fails_and_says_so(place: Place, instance: dg.DagsterInstance) -> None:
    place.build(instance)
    first, *_, last = registered(instance)
    assert "the range contains no task; see the registered tasks" in run_over(place, instance, last, first)


def test_a_registered_task_without_a_trial_fails_and_says_so(
    place: Place, instance: dg.DagsterInstance
) -> None:
    place.build(instance)
    instance.add_dynamic_partitions("task", ["gone"])
    assert "none of the 1 requested tasks has a trial" in run_over(place, instance, "gone", "gone")


def stale(instance: dg.DagsterInstance, assets: Iterable[str]) -> list[tuple[str, str]]:
    """The task partitions of the assets that the UI shows as stale."""
    graph, loading = code_location().resolve_asset_graph(), LoadingContextForTest(instance)
    resolver = CachingStaleStatusResolver(instance, graph, loading)
    tasks = instance.get_dynamic_partitions("task")
    found = {
        (asset, task): resolver.get_status(dg.AssetKey(asset), task) for asset in assets for task in tasks
    }
    return [which for which, status in found.items() if status != StaleStatus.FRESH]


def test_an_unchanged_task_is_not_stale_because_the_merge_ran(
    place: Place, on_disk: dg.DagsterInstance
) -> None:
    shutil.rmtree(place.out.root)
    place.build(on_disk)
    assert stale(on_disk, TASK_ASSETS) == []
    take(place.rollouts / "exp/kimi_resume", "stack_overflow__101")
    assert place.build(on_disk).rebuilt == 1
    assert stale(on_disk, TASK_ASSETS) == []


def test_a_task_found_built_is_not_stale(place: Place, instance: dg.DagsterInstance) -> None:
    place.build(instance)
    assert stale(instance, TASK_ASSETS) == []
