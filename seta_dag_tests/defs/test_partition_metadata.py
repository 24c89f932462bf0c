"""What the materialization of each partition says about its task."""

from __future__ import annotations

from typing import Any

import dagster as dg

from seta_dag.defs.build.plan import TASK_ASSETS
from seta_dag.defs.instance.partition_metadata import add_metadata
from seta_dag.defs.partitions import key_of
from seta_dag_tests.support.builds import Place


def metadata(instance: dg.DagsterInstance, asset: str) -> dict[str, dict[str, Any]]:
    """Return the metadata of the latest materialization of every partition of an asset."""
    found = instance.fetch_materializations(dg.AssetKey(asset), limit=1000, ascending=True).records
    return {
        str(record.partition_key): {
            name: value.value for name, value in record.asset_materialization.metadata.items()
        }
        for record in found
        if record.asset_materialization
    }


def check(place: Place, instance: dg.DagsterInstance) -> None:
    """Compare the metadata of all partitions with the ledger."""
    tokens = metadata(instance, "tokens")
    assert tokens.keys() == {key_of(task) for task in place.tasks()}
    for task in place.tasks():
        lines = [line for line in place.ledger() if line.task_id == task and line.disposition != "superseded"]
        rows = [line for line in lines if line.disposition == "row"]
        found = tokens[key_of(task)]
        assert (found["trials"], found["rows"]) == (len(lines), len(rows))
        for variant in ("thinking", "nothink"):
            assert found[f"{variant} tokens"] == sum(line.tokens(variant) for line in rows)
            assert found[f"{variant} trainable tokens"] == sum(
                line.trainable_tokens(variant) for line in rows
            )
        assert ("inspect" in found) == bool(rows)
        assert all(str(line.reason) in found["dropped"] for line in lines if line.reason)
    assert all(one["trials"] and "ended" in one for one in metadata(instance, "trials").values())
    assert all("passed" in one for one in metadata(instance, "ctrf_reports").values())


def test_every_partition_says_what_its_task_is(place: Place, instance: dg.DagsterInstance) -> None:
    assert not place.build(instance, full=True).failures
    check(place, instance)
    (run,) = instance.get_runs()
    observed = [
        one
        for one in instance.all_logs(run.run_id)
        if one.dagster_event and one.dagster_event.is_asset_observation
    ]
    assert sorted(str(one.dagster_event.step_key) for one in observed if one.dagster_event) == sorted(
        TASK_ASSETS
    )


def test_partitions_found_built_say_it_too(place: Place, instance: dg.DagsterInstance) -> None:
    assert place.build(instance).rebuilt == 0
    check(place, instance)


def test_without_dagsters_private_names_its_own_way_is_used() -> None:
    calls: list[str] = []

    class Context:
        asset_key = dg.AssetKey("tokens")

        def add_asset_metadata(self, metadata: dict[str, Any], partition_key: str) -> None:
            calls.append(partition_key)

    add_metadata(Context(), {"a": {"rows": 1}, "b": {"rows": 2}})  # type: ignore[arg-type]
    assert calls == ["a", "b"]
