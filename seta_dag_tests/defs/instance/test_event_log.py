"""The batched event log stores the same rows as Dagster's own, compared after each of several steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import (
    AssetMaterializationPlannedData,
    AssetObservationData,
    StepMaterializationData,
)
from dagster._core.storage.event_log import SqliteEventLogStorage

from seta_dag.defs.instance.batched_event_log import BatchedEventLog
from seta_dag.defs.instance.mirror import report_built
from seta_dag_tests.support.builds import statuses
from seta_dag_tests.support.event_logs import entry, events, opened, rows, run

pytestmark = pytest.mark.filterwarnings("ignore:.*backfill_policy")

KEYS = ["a", "b/c", "tâche_日本語"]
FIRST, SECOND, SUMMARY = map(dg.AssetKey, ("first", "second", "summary"))
LOGS: dict[type[SqliteEventLogStorage], tuple[str, str]] = {
    SqliteEventLogStorage: ("dagster._core.storage.event_log", "SqliteEventLogStorage"),
    BatchedEventLog: ("seta_dag.defs.instance.event_log", "BatchedSqliteEventLog"),
}
GOOD, BAD, NONE = (dict.fromkeys(KEYS, status) for status in ("materialized", "failed", "missing"))
PARTIAL = BAD | {KEYS[0]: "materialized"}


def report_without_a_run(instance: dg.DagsterInstance) -> None:
    check = dg.AssetCheckEvaluation(SUMMARY, "sound", passed=True, metadata={})
    for key in KEYS[:2]:
        instance.report_runless_asset_event(dg.AssetMaterialization(SECOND, partition=key, tags={"by": "me"}))
        instance.report_runless_asset_event(dg.AssetObservation(FIRST, partition=key, metadata={"seen": 1}))
    instance.report_runless_asset_event(check)


def store_mixed_batch(instance: dg.DagsterInstance) -> None:
    """Store a batch of many kinds and of two runs, more mixed than any that Dagster itself stores."""
    kinds, runs = dg.DagsterEventType, [run.run_id for run in instance.get_runs(limit=2)]
    planned = AssetCheckEvaluationPlanned(asset_key=SUMMARY, check_name="sound", partitions_subset=None)
    data: list[tuple[dg.DagsterEventType, Any]] = [
        (
            kinds.ASSET_MATERIALIZATION,
            StepMaterializationData(dg.AssetMaterialization("new", tags={"a": "1"})),
        ),
        (kinds.ASSET_CHECK_EVALUATION_PLANNED, planned),
        (kinds.ASSET_MATERIALIZATION_PLANNED, AssetMaterializationPlannedData(SECOND, KEYS[0])),
        (kinds.ASSET_MATERIALIZATION, StepMaterializationData(dg.AssetMaterialization(FIRST, partition="a"))),
        (kinds.RUN_STARTING, None),
        (kinds.ASSET_MATERIALIZATION_PLANNED, AssetMaterializationPlannedData(dg.AssetKey("new"))),
        (kinds.ASSET_OBSERVATION, AssetObservationData(dg.AssetObservation("new"))),
    ]
    events = [dg.DagsterEvent(kind.value, "all", event_specific_data=of) for kind, of in data]
    entries = [entry(runs[i % 2], event, float(i + 1)) for i, event in enumerate(events)]
    instance.event_log_storage.store_event_batch(entries)


def wipe(instance: dg.DagsterInstance) -> None:
    instance.wipe_assets([SECOND])


STEPS: dict[str, tuple[Callable[[dg.DagsterInstance], object], list[dict[str, str]]]] = {
    "a run that fails after its first task": (lambda instance: run(instance, fail="yes"), [GOOD, PARTIAL]),
    "a successful run": (run, [GOOD, GOOD]),
    "a run with a failed check": (lambda instance: run(instance, unsound="yes"), [GOOD, GOOD]),
    "a failed run after a successful one": (lambda instance: run(instance, fail="yes"), [GOOD, PARTIAL]),
    "events without a run": (report_without_a_run, [GOOD, GOOD | {KEYS[2]: "failed"}]),
    "a mixed batch": (
        store_mixed_batch,
        [GOOD, BAD | {KEYS[1]: "materialized"}],
    ),
    "a wiped asset": (wipe, [GOOD, NONE]),
    "tasks reported as built": (
        lambda instance: report_built(instance, [FIRST, SECOND], KEYS[:2], lambda asset, tasks: {}),
        [GOOD, NONE | dict.fromkeys(KEYS[:2], "materialized")],
    ),
    "another successful run": (run, [GOOD, GOOD]),
}
"""Steps that one instance goes through in order, and the statuses of both assets after each."""


def state(instance: dg.DagsterInstance, home: Path) -> dict[str, Any]:
    """Return all rows, the events in the database of each run, and what Dagster derives from them."""
    runs, log = [run.run_id for run in reversed(instance.get_runs())], instance.event_log_storage
    materialized = dg.DagsterEventType.ASSET_MATERIALIZATION
    return {
        "statuses": [statuses(instance, name) for name in ("first", "second")],
        "runs": [[event[1:] for event in events(home / "runs" / f"{run_id}.db")] for run_id in [*runs, ""]],
        "versions": log.get_latest_tags_by_partition(FIRST, materialized, ["dagster/data_version"]),
        "known": sorted(map(str, instance.all_asset_keys())),
        "rows": rows(home),
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Any]]]:
    """Return the states after each step, once with Dagster's event log and once with the batched one."""
    seen: list[dict[str, dict[str, Any]]] = []
    for kind, name in LOGS.items():
        home = tmp_path_factory.mktemp(kind.__name__)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)  # the batched class sets it
            with opened(home, *name) as instance:
                assert type(instance.event_log_storage) is kind
                instance.add_dynamic_partitions("task", KEYS)
                seen.append(
                    {step: (do(instance), state(instance, home))[1] for step, (do, _) in STEPS.items()}
                )
    return seen


@pytest.mark.parametrize("step", STEPS)
def test_both_event_logs_have_the_same_rows_after(step: str, both: list[dict[str, dict[str, Any]]]) -> None:
    stock, batched = (states[step] for states in both)
    assert batched["statuses"] == stock["statuses"] == STEPS[step][1]
    for what in stock:
        assert batched[what] == stock[what], what
