"""The event log that writes batches stores what Dagster's own stores."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.event_api import EventLogRecord
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage

from seta_dag.defs.event_log import BatchedSqliteEventLog
from seta_dag.defs.partitions import ONE_RUN, TASKS
from seta_dag_tests.support.builds import statuses

KEYS = ["a", "b/c", "tâche_日本語"]
TAGS = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}
KINDS = (
    "ASSET_MATERIALIZATION",
    "ASSET_MATERIALIZATION_PLANNED",
    "ASSET_CHECK_EVALUATION",
    "ASSET_OBSERVATION",
)


pytestmark = pytest.mark.filterwarnings("ignore:.*backfill_policy")


def definitions() -> dg.Definitions:
    """Two assets over tasks, one over all of them, a check."""

    @dg.asset(partitions_def=TASKS, backfill_policy=ONE_RUN, code_version="1")
    def first(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        about = {"tasks": len(context.partition_keys)}
        return dg.MaterializeResult(metadata=about, data_version=dg.DataVersion("7"))

    @dg.asset(partitions_def=TASKS, backfill_policy=ONE_RUN, code_version="1", deps=[first])
    def second(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        context.log_event(dg.AssetObservation("first", partition=KEYS[0]))
        if context.run.tags.get("fail"):
            raise dg.Failure("told to")
        return dg.MaterializeResult(tags={"of": "range"})

    @dg.asset(backfill_policy=ONE_RUN, code_version="1", deps=[second])
    def whole() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(metadata={"rows": 3})

    @dg.asset_check(asset=whole)
    def sound() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True, metadata={"seen": 3})

    job = dg.define_asset_job("all", executor_def=dg.in_process_executor)
    return dg.Definitions([first, second, whole], asset_checks=[sound], jobs=[job])


def opened(home: Path, storage: type[SqliteEventLogStorage]) -> dg.DagsterInstance:
    """An instance on SQLite with that event log."""
    home.mkdir()
    (home / "dagster.yaml").write_text(
        f"event_log_storage: {{module: {storage.__module__}, class: {storage.__name__},"
        f" config: {{base_dir: {home}/runs}}}}\ntelemetry: {{enabled: false}}\n"
    )
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))


def run(instance: dg.DagsterInstance, **tags: str) -> list[Any]:
    """Runs all assets over the range, and gives the events that the run itself is left with."""
    ran = (
        definitions()
        .resolve_job_def("all")
        .execute_in_process(instance=instance, tags=TAGS | tags, raise_on_error=False)
    )
    events = [entry.dagster_event for entry in instance.all_logs(ran.run_id)]
    return [(event.event_type_value, event.step_key, event.partition) for event in events if event]


def plain(record: EventLogRecord) -> tuple[Any, ...]:
    """A stored event without what differs between two runs."""
    event, made = record.event_log_entry.get_dagster_event(), record.asset_materialization
    tags = dict(made.tags or {}) if made else {}
    tags = {name: value for name, value in tags.items() if "event_id" not in name and "pointer" not in name}
    return (
        event.event_type_value,
        str(event.asset_key),
        event.partition,
        event.step_key,
        tags,
        made and made.metadata,
    )


def tags_of(instance: dg.DagsterInstance, info: Any) -> dict[str, str]:
    """The tags of the run that planned a materialization last."""
    (run,) = instance.get_runs(dg.RunsFilter(run_ids=[info.run_id]))
    return dict(run.tags)


def state(instance: dg.DagsterInstance) -> dict[str, Any]:
    """All that the instance knows of the assets."""
    log, keys = instance.event_log_storage, [dg.AssetKey(name) for name in ("first", "second", "whole")]
    materialized = dg.DagsterEventType.ASSET_MATERIALIZATION
    records = [
        log.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType(kind)), ascending=True)
        for kind in KINDS
    ]
    latest = [instance.get_latest_materialization_event(key) for key in keys]
    planned = [instance.get_latest_planned_materialization_info(key) for key in keys]
    return {
        "events": {
            kind: sorted(map(str, map(plain, found))) for kind, found in zip(KINDS, records, strict=True)
        },
        "statuses": [statuses(instance, name) for name in ("first", "second")],
        "materialized": [instance.get_materialized_partitions(key) for key in keys],
        "counts": log.get_materialized_partitions(keys[0]),
        "latest": [entry and entry.get_dagster_event().partition for entry in latest],
        "planned by the run that failed": [tags_of(instance, info).get("fail") for info in planned],
        "versions": log.get_latest_tags_by_partition(keys[0], materialized, ["dagster/data_version"]),
        "known": sorted(map(str, instance.all_asset_keys())),
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Any], Any]]:
    """What both classes know, and what two runs are left with: one ends well, one fails."""
    seen, folder = [], tmp_path_factory.mktemp("logs")
    for storage in (SqliteEventLogStorage, BatchedSqliteEventLog):
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)  # the batched class sets it
            with opened(folder / storage.__name__, storage) as instance:
                assert type(instance.event_log_storage) is storage
                instance.add_dynamic_partitions("task", KEYS)
                runs = [run(instance), run(instance, fail="yes")]
                seen.append((state(instance), runs))
    return seen


def test_both_event_logs_know_the_same(both: list[tuple[dict[str, Any], Any]]) -> None:
    (stock, _), (batched, _) = both
    assert batched == stock
    assert batched["statuses"][1] == dict.fromkeys(KEYS, "failed")
    assert len(batched["events"]["ASSET_MATERIALIZATION"]) == 3 * len(KEYS) + 1


def test_both_event_logs_leave_a_run_with_the_same_events(both: list[tuple[dict[str, Any], Any]]) -> None:
    (_, stock), (_, batched) = both
    assert [sorted(map(str, run)) for run in batched] == [sorted(map(str, run)) for run in stock]
