"""Publish through the asset graph, and what the checks before a publish refuse."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from seta_dag.cli import main
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.definitions import code_location
from seta_dag.defs.build.build import build, planned
from seta_dag.defs.build.plan import Request
from seta_dag.defs.build.publish import publish
from seta_dag.defs.hub_settings import HubSettings
from seta_dag.errors import ConfigError
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.builds import Place, take, trial
from seta_dag_tests.support.hub import LoopbackHub

REPO = "org/seta-{variant}"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return rollouts of two tasks, and of one whose tool output contains secrets made up for tests."""
    place = Place(tmp_path / "place")
    take(place.rollouts / "exp" / "kimi", "a_t0", "stack_overflow__104", "out_secret")
    return place


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def request_of(place: Place, **settings: object) -> Request:
    """Return a request to build and publish, with fields of `HubSettings`."""
    return replace(place.request(), hub=HubSettings(repo=REPO, **settings))


def publish_all(instance: dg.DagsterInstance, request: Request) -> tuple[str, ...]:
    """Publish both datasets, and return what failed, one sentence each."""
    return publish(code_location(), instance, request, VARIANTS, dry_run=False)[1]


def commits(hub: LoopbackHub) -> int:
    """Return the number of commit requests that the Hub received."""
    return hub.count(r"POST .*/commit/")


def test_each_change_is_one_commit_per_dataset_and_no_change_is_none(
    place: Place, instance: dg.DagsterInstance, hub: LoopbackHub, tmp_path: Path
) -> None:
    from datasets import load_dataset

    from seta_dag.loaders.areal import get_seta_sft_dataset

    request = request_of(place, allow_secrets=True)
    assert not place.build(instance).failures
    assert publish_all(instance, request) == ()
    assert commits(hub) == 2
    assert publish_all(instance, request) == ()
    assert commits(hub) == 2
    log = max(trial(place.rollouts, "a_t0").rglob("conv_*.json"))
    document = json.loads(log.read_bytes())
    document["response"]["choices"][0]["message"]["content"] += " Changed."
    log.write_text(json.dumps(document))
    assert place.build(instance).rebuilt == 1
    assert publish_all(instance, request) == ()
    assert commits(hub) == 4
    published = load_dataset("org/seta-thinking", split="train")
    assert any("Changed." in text for text in published["chat_template_str"])
    assert published["input_ids"][:] == get_seta_sft_dataset("org/seta-thinking", "train")["input_ids"][:]


def test_build_publishes_if_a_repo_is_configured(
    place: Place, instance: dg.DagsterInstance, hub: LoopbackHub
) -> None:
    request = request_of(place, allow_secrets=True)
    with planned(request, lambda: None) as work:
        outcome = build(code_location(), instance, request, work)
    assert not outcome.failures
    assert commits(hub) == 2


def leave_secrets(place: Place) -> str:
    """Leave the rows as they are: they contain secrets. Return part of the expected failure."""
    return "secrets in what would be published"


def change_rows(place: Place) -> str:
    """Change the rows of a shard after they were proved. Return part of the expected failure."""
    shard = next((place.out.dataset("nothink") / "data").iterdir())
    rows = pq.read_table(shard)
    texts = [f"{text} " for text in rows["chat_template_str"].to_pylist()]
    at = rows.schema.get_field_index("chat_template_str")
    pq.write_table(rows.set_column(at, "chat_template_str", [texts]), shard)
    return "not the row that was proved"


def change_unproved_columns(place: Place) -> str:
    """Replace the log and remove the provider's counts in a shard, with its size and time as they were."""
    shard = next((place.out.dataset("nothink") / "data").iterdir())
    rows = pq.read_table(shard).to_pylist()
    rows[0] |= {"raw_conv_json": "{}", "provider_token_counts": None}
    pq.write_table(pa.Table.from_pylist(rows, schema=ROW_SCHEMA), shard)
    return "provider_token_counts not as the build wrote it"


def add_a_trial(place: Place) -> str:
    """Add a trial after the build. Return part of the expected failure."""
    take(place.rollouts / "exp" / "kimi", "zero_reward")
    return "lines in the ledger"


@pytest.mark.parametrize("spoil", [leave_secrets, change_rows, change_unproved_columns, add_a_trial])
def test_failed_check_keeps_the_dataset_off_the_hub(
    place: Place, instance: dg.DagsterInstance, hub: LoopbackHub, spoil: Callable[[Place], str]
) -> None:
    assert not place.build(instance).failures
    expected = spoil(place)
    failures = publish_all(instance, request_of(place, allow_secrets=spoil is not leave_secrets))
    assert any(expected in failure for failure in failures), failures
    tree = hub.repositories.get("org/seta-nothink")
    assert tree is None or "README.md" not in tree.at("main").tree


def test_damage_that_leaves_size_and_time_is_refused_and_the_next_build_repairs_it(
    place: Place, instance: dg.DagsterInstance, hub: LoopbackHub
) -> None:
    assert not place.build(instance).failures
    before = place.visible()
    shard = next((place.out.dataset("thinking") / "data").iterdir())
    times = shard.stat().st_atime_ns, shard.stat().st_mtime_ns
    data = shard.read_bytes()
    assert data.count(b"stack_overflow__104") > 0
    shard.write_bytes(data.replace(b"stack_overflow__104", b"stack_overflow__105"))
    os.utime(shard, ns=times)
    failures = publish_all(instance, request_of(place, allow_secrets=True))
    assert any("stack_overflow" in failure for failure in failures) and commits(hub) == 1  # nothink only
    assert not place.build(instance).failures
    assert place.visible() == before
    assert publish_all(instance, request_of(place, allow_secrets=True)) == ()


def test_dataset_without_rows_is_not_published(
    place: Place, instance: dg.DagsterInstance, hub: LoopbackHub
) -> None:
    assert not place.build(instance, filters=Filters(max_tokens=1)).failures
    failures = publish_all(instance, request_of(place, allow_secrets=True))
    assert any("it has no rows" in failure for failure in failures)
    assert commits(hub) == 0


def test_settings_of_another_build_are_refused_before_a_card_is_written(
    place: Place, instance: dg.DagsterInstance, hub: LoopbackHub
) -> None:
    take(place.rollouts / "exp" / "kimi_resume", "zero_reward")
    assert not place.build(instance).failures
    before = place.visible()
    other = replace(request_of(place), options=place.request(runs="*_resume").options)
    with pytest.raises(ConfigError, match="but the runs given are"):
        publish_all(instance, other)
    assert place.visible() == before


def test_dry_run_checks_and_scans_but_uploads_nothing(
    place: Place, instance: dg.DagsterInstance, hub: LoopbackHub
) -> None:
    assert not place.build(instance).failures
    paths = ["--rollouts", str(place.rollouts), "--out", str(place.out.root)]
    command = ["publish", "--repo", REPO, *paths, "--dry-run"]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1 and "secrets in what would be published" in refused.stderr
    planned = CliRunner().invoke(main, [*command, "--allow-secrets"])
    assert planned.exit_code == 0 and "README.md" in planned.stdout
    assert commits(hub) == 0


def test_build_without_a_repo_publishes_nothing(
    place: Place, instance: dg.DagsterInstance, hub: LoopbackHub
) -> None:
    assert not place.build(instance).failures
    assert hub.calls == []
    key = dg.AssetKey("thinking_hub")
    assert instance.get_latest_materialization_event(key) is None
