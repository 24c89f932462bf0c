"""What asset checks report, and that one of them can be run again by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from seta_dag.definitions import code_location
from seta_dag.defs.checks import CHECKS
from seta_dag.defs.checks.dataset import READ_BACK
from seta_dag_tests.support.builds import Place, take

SHARDS = dg.AssetKey("thinking_dataset")


@pytest.fixture
def built(place: Place) -> Iterator[tuple[Place, dg.DagsterInstance]]:
    with dg.DagsterInstance.ephemeral() as instance:
        assert not place.build(instance).failures
        yield place, instance


def run_checks(
    place: Place, instance: dg.DagsterInstance, selection: dg.AssetSelection
) -> list[dg.AssetCheckEvaluation]:
    """Run only these checks, as the UI does, and return their results."""
    definitions = code_location()
    resources: dict[str, Any] = {
        "project": {"config": {"rollouts": str(place.rollouts), "out": str(place.out.root)}}
    }
    job = dg.define_asset_job("checks", selection)
    with_job = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job]))
    done = with_job.resolve_job_def("checks").execute_in_process(
        instance=instance, run_config={"resources": resources}, raise_on_error=False
    )
    return done.get_asset_check_evaluations()


def test_one_check_of_a_dataset_runs_by_itself(built: tuple[Place, dg.DagsterInstance]) -> None:
    for name in READ_BACK:
        (found,) = run_checks(*built, dg.AssetSelection.checks(dg.AssetCheckKey(SHARDS, name)))
        assert found.passed and found.check_name == name


def test_every_check_can_be_run_again_without_its_asset(built: tuple[Place, dg.DagsterInstance]) -> None:
    specs = [spec.key for check in CHECKS for spec in check.check_specs]
    found = run_checks(*built, dg.AssetSelection.checks(*specs))
    assert {one.asset_check_key for one in found} == set(specs)
    assert all(one.passed for one in found)


def test_a_failed_account_gives_the_same_numbers_everywhere(built: tuple[Place, dg.DagsterInstance]) -> None:
    place, instance = built
    lines = len(place.ledger())
    take(place.rollouts / "exp" / "kimi", "zero_reward")
    key = dg.AssetCheckKey(dg.AssetKey("ledger"), "every_trial_is_accounted_for")
    (found,) = run_checks(place, instance, dg.AssetSelection.checks(key))
    values = {name: value.value for name, value in found.metadata.items()}
    assert not found.passed and values["faults"] == 1
    assert (values["lines in the ledger"], values["trials on disk"]) == (lines, lines + 1)
    assert values["checked"] == f"{lines + 1} trials in 4 places on disk, {lines} lines in the ledger"
    assert (found.description or "").startswith("exp/kimi: 0 lines in the ledger, 1 on disk")
