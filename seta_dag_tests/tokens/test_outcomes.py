"""Outcomes are read from the table of the stage, for tasks whose line and file are intact."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag_tests.support.damage import FOLDER, SEEN
from seta_dag_tests.support.made import MadeTrial, merged, stage_file, write_stages

MADE = [MadeTrial("a"), MadeTrial("a", 1, reason="no_tests"), MadeTrial("b"), MadeTrial("c")]
FINGERPRINTS = merged(MADE).fingerprints
DAMAGES = {name: SEEN[name] for name in ("a flipped bit", "gone")} | {"folder": FOLDER}
"""One of each kind; the tests of the stage have them all."""


@pytest.fixture
def out(tmp_path: Path) -> OutputLayout:
    out = OutputLayout(tmp_path / "out")
    write_stages(out, MADE, merged(MADE))
    return out


def test_every_trial_of_every_task_is_read(out: OutputLayout) -> None:
    found = OUTCOMES.built(out, FINGERPRINTS)
    uids = {task: [one.trial_uid for one in outcomes] for task, outcomes in found.items()}
    assert uids == {"a": ["a_t0_ab", "a_t1_ab"], "b": ["b_t0_ab"], "c": ["c_t0_ab"]}


def test_a_rebuilt_task_has_its_new_outcomes(out: OutputLayout) -> None:
    first = OUTCOMES.built(out, FINGERPRINTS)
    made = [*MADE[:3], MadeTrial("c", text="other")]
    write_stages(out, made, merged(made))
    again = OUTCOMES.built(out, merged(made).fingerprints)
    assert again["c"] != first["c"] and again["a"] == first["a"]


def test_tasks_that_are_not_requested_or_not_built_are_left_out(out: OutputLayout) -> None:
    asked = {"a": FINGERPRINTS["a"], "b": "0" * 16, "d": "1" * 16}
    assert set(OUTCOMES.built(out, asked)) == {"a"}
    assert OUTCOMES.built(OutputLayout(out.root / "nowhere"), asked) == {}


@pytest.mark.parametrize("damage", [SEEN["cut"], SEEN["gone"], FOLDER], ids=["cut", "gone", "folder"])
def test_a_damaged_table_gives_no_outcome_until_it_is_rebuilt(
    damage: Callable[[Path], object], out: OutputLayout
) -> None:
    first, table = OUTCOMES.built(out, FINGERPRINTS), out.table("tokens")
    damage(table)
    assert OUTCOMES.built(out, FINGERPRINTS) == {}
    if table.is_dir():
        table.rmdir()
    write_stages(out, MADE, merged(MADE))
    assert OUTCOMES.built(out, FINGERPRINTS) == first


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_task_with_a_damaged_file_is_left_out(damage: Callable[[Path], object], out: OutputLayout) -> None:
    first = OUTCOMES.built(out, FINGERPRINTS)
    damage(stage_file(out, MADE, "b"))
    assert OUTCOMES.built(out, FINGERPRINTS) == {task: first[task] for task in ("a", "c")}


def test_a_copy_with_new_file_times_has_the_same_outcomes(out: OutputLayout, tmp_path: Path) -> None:
    copy = OutputLayout(shutil.copytree(out.root, tmp_path / "copy", copy_function=shutil.copyfile))
    assert OUTCOMES.built(copy, FINGERPRINTS) == OUTCOMES.built(out, FINGERPRINTS)
