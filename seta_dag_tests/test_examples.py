"""The examples, run as a user runs them, as far as they go without torch."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from seta_dag.dataset.ledger.ledger import count_reasons, read_ledger
from seta_dag_tests.support.builds import REPOSITORY, Place, open_instance, take
from seta_dag_tests.support.hub.dataset import sample
from seta_dag_tests.support.processes import environment

EXAMPLES = REPOSITORY / "examples"


def run(name: str, *arguments: object, env: dict[str, str] | None = None) -> str:
    """Return what an example prints; it must end well."""
    command = [sys.executable, EXAMPLES / name, *arguments]
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def module(name: str) -> ModuleType:
    """Import an example without running it."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample(tmp_path_factory.mktemp("dataset") / "thinking", shards=2, rows=60)


def test_every_example_is_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f"[{path.name}]({path.name})" in listed for path in EXAMPLES.glob("*.py"))


def test_areal_example_splits_rows_by_task(dataset: Path) -> None:
    assert "columns ['input_ids', 'loss_mask']" in run("areal.py", dataset)


def test_trl_example_learns_exactly_the_loss_mask(dataset: Path) -> None:
    rows = module("trl_labels").training_rows(str(dataset))
    raw = module("trl_labels").get_seta_sft_dataset(str(dataset), split="train")
    assert rows.column_names == ["input_ids", "attention_mask", "labels"] and len(rows) == len(raw) > 0
    for row, source in zip(rows, raw, strict=True):
        assert [label != -100 for label in row["labels"]] == [one == 1 for one in source["loss_mask"]]


def test_pytorch_example_pads_batches(dataset: Path) -> None:
    lines = run("pytorch.py", dataset).splitlines()
    assert lines and all("'labels': (4, " in line for line in lines[:-1])


def test_own_filter_is_an_option_and_a_reason(tmp_path: Path) -> None:
    place, home = Place(tmp_path), tmp_path / "home"
    take(place.rollouts / "exp" / "kimi", "a_t0", "stack_overflow__104")
    with open_instance(home):
        pass
    env = environment(place, home)
    assert "--max-turns" in run("own_filter.py", "build", "--help", env=env)
    run("own_filter.py", "build", "--max-turns", 4, env=env)
    lines = read_ledger(place.out.ledger)
    of_reason = {line.reason: line for line in lines if line.disposition == "dropped"}
    assert {line.n_assistant_turns > 4 for line in of_reason.values()} == {True}
    assert list(of_reason) == ["too_many_turns"] and sum(count_reasons(lines).values()) == 0
    card = (place.out.dataset("thinking") / "README.md").read_text("utf-8")
    assert "| dropped: `too_many_turns` | 1 | the conversation has more assistant turns" in card
    assert "| maximum assistant turns | 4 |" in card
