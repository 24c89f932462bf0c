"""Where a command's options come from when it is not given them, and which of them a build stores."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.definitions import code_location
from seta_dag.defs.partitions import range_of
from seta_dag.options.stored import read_options
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support import template
from seta_dag_tests.support.builds import Place, take
from seta_dag_tests.support.command_line import build, run, summary
from seta_dag_tests.support.hub import LoopbackHub

REPO = "org/seta-{variant}"


@pytest.fixture
def place(place: Place) -> Place:
    """Three tasks, built where they are, so that the default instance knows them."""
    assert build(place).exit_code == 0
    return place


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory whose default rollouts, data/rollouts, exist but were never built."""
    folder = tmp_path / "elsewhere"
    take(folder / "data/rollouts/exp/other", "stack_overflow__104")
    monkeypatch.chdir(folder)
    return folder / "data/rollouts"


def reasons(place: Place) -> dict[str, str | None]:
    """Return the reason of each task of a place, None for a row."""
    return {line.task_id: line.reason for line in place.ledger()}


def materialize_all(place: Place) -> None:
    """Run the job as the button in the UI does: over every task and asset, with an empty run config."""
    with dg.DagsterInstance.get() as instance:
        tags = range_of(instance, place.tasks())
        job = code_location().resolve_job_def("build")
        assert job.execute_in_process({}, instance, tags=tags, raise_on_error=False).success


def test_build_without_rollouts_uses_those_of_the_last_build(place: Place, elsewhere: Path) -> None:
    take(place.rollouts / "exp/kimi", "stack_overflow__105")
    done = run("build", "--out", place.out.root, "--json")
    assert done.exit_code == 0, done.output
    assert (summary(done)["tasks"], summary(done)["tasks_rebuilt"]) == (4, 1)
    assert "stack_overflow__105" in reasons(place) and "stack_overflow__104" not in reasons(place)


def test_ledger_and_inspect_need_only_the_output_directory(place: Place, elsewhere: Path) -> None:
    shown = run("ledger", "--out", place.out.root)
    assert shown.exit_code == 0 and shown.stdout.splitlines()[-1] == "3 trials"
    row = run("inspect", "a", "--out", place.out.root)
    assert row.exit_code == 0 and "a_t0_4be87e" in row.stdout


def test_publish_without_rollouts_uses_those_of_the_build(
    place: Place, elsewhere: Path, hub: LoopbackHub
) -> None:
    done = run("publish", "--repo", REPO, "--out", place.out.root, "--dry-run")
    assert done.exit_code == 0, done.output
    assert [line.split(":")[0] for line in done.stdout.splitlines() if line[0] != " "] == [
        "org/seta-thinking",
        "org/seta-nothink",
    ]


def test_publish_from_contradiction_is_refused_with_both_roots(place: Place, elsewhere: Path) -> None:
    visible, options = place.visible(), read_options(place.out)
    done = run("publish", "--repo", REPO, "--out", place.out.root, "--dry-run", "--rollouts", elsewhere)
    assert done.exit_code == 2 and not done.stdout
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("seta-dag: ")]
    assert f"was built from {place.rollouts}, but the rollouts given are {elsewhere}" in sentence
    assert (place.visible(), read_options(place.out)) == (visible, options)


def test_options_come_from_flag_then_config_then_environment_then_last_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, config = Place(tmp_path), tmp_path / "options.toml"
    names = ("stored", "environment", "config", "flag")
    for name in names:
        take(place.rollouts / "exp" / name, "a_t0")
    config.write_text('runs = "config"')

    def runs(*options: object) -> set[str]:
        assert build(place, *options).exit_code == 0
        return {line.run for line in place.ledger()}

    # From the weakest source to the strongest: each one must override all those before it.
    assert runs() == {f"exp/{name}" for name in names}
    runs("--runs", "stored")
    assert runs() == {"exp/stored"}
    monkeypatch.setenv("SETA_RUNS", "environment")
    assert runs() == {"exp/environment"}
    assert runs("--config", config) == {"exp/config"}
    assert runs("--config", config, "--runs", "flag") == {"exp/flag"}


def test_stored_filters_apply_to_runs_from_the_ui_but_not_to_the_next_build(place: Place) -> None:
    take(place.rollouts / "exp/kimi", "stack_overflow__105")  # its reward is 0.4
    filtered = build(place, "--min-reward", 0.5)
    assert summary(filtered)["dropped"] == {"ctrf_invalid": 1, "below_min_reward": 1}
    visible = place.visible()
    materialize_all(place)
    assert place.visible() == visible
    assert reasons(place)["stack_overflow__105"] == "below_min_reward"
    assert summary(build(place))["dropped"] == {"ctrf_invalid": 1}
    materialize_all(place)
    assert reasons(place)["stack_overflow__105"] is None


def test_drop_flag_drops_rows_with_the_flag(place: Place) -> None:
    take(place.rollouts / "exp/kimi", "asst_special_tokens")
    before = dict.fromkeys(("UPPER_Case__007", "a", "asst_special_tokens"))
    assert build(place).exit_code == 0
    assert reasons(place) == {**before, "ctrf_empty_file": "ctrf_invalid"}
    done = build(place, "--drop-flag", "literal_markup")
    assert (done.exit_code, summary(done)["tasks_rebuilt"]) == (0, 0)
    assert reasons(place) == {**before, "ctrf_empty_file": "ctrf_invalid", "asst_special_tokens": "flagged"}
    assert summary(done)["rows"] == dict.fromkeys(VARIANTS, 2)
    for variant in VARIANTS:
        rows = pq.read_table(place.out.dataset(variant) / "data").column("task_id").to_pylist()
        assert rows == ["UPPER_Case__007", "a"]


def published_text(place: Place) -> str:
    """Return everything a dataset publishes: cards, and shards both raw and decoded, with metadata."""
    texts = []
    for variant in VARIANTS:
        texts.append((place.out.dataset(variant) / "README.md").read_text("utf-8"))
        for path in shard_paths(place.out.dataset(variant)):
            table = pq.read_table(path)  # pages are compressed, so the raw bytes alone would prove nothing
            texts += [
                repr(table.to_pylist()),
                repr(table.schema.metadata),
                path.read_bytes().decode("latin-1"),
            ]
    return "\n".join(texts)


def test_no_path_of_the_machine_is_published(place: Place, student: Student, tmp_path: Path) -> None:
    folder = tmp_path / "students" / "mine"
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").symlink_to(student.tokenizer_path)
    official = {"chat_template": template.official("first")}
    (folder / "tokenizer_config.json").write_text(json.dumps(official))
    assert build(place, "--student", folder).exit_code == 0
    published, stored = published_text(place), place.out.options.read_text()
    assert "exp/kimi" in published and "`mine`" in published  # what a relative path leaves
    for path in (place.rollouts, place.out.root, folder):
        assert str(path) not in published
    assert str(tmp_path) not in published
    assert '"../rollouts"' in stored and str(folder) in stored
