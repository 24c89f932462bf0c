"""Outcomes are read from the journal of the stage, for tasks whose file and journal line are intact."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.dataset.schema import FIELDS, LONG, PER_VARIANT
from seta_dag.store.integrity import remove_damaged
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import read_outcomes
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.damage import FLIPPED_UNSEEN, FOLDER, LINES, SEEN
from seta_dag_tests.support.made import MadeTrial, merged, stage_file, write_stages

MADE = [MadeTrial("a"), MadeTrial("a", 1, reason="no_tests"), MadeTrial("b"), MadeTrial("c")]
FINGERPRINTS = merged(MADE).fingerprints
SHORT = [name for name in FIELDS if name not in LONG and name not in PER_VARIANT]
COUNTS = ("local_token_count", "n_assistant_tokens", "literal_markup", "proof")
KEYS = {
    *SHORT, *(f"{variant}.{name}" for variant in VARIANTS for name in COUNTS), "content", "run", "reason",
    "detail", "snapshot", "flags", "n_assistant_turns", "n_reasoning_turns", "reasoning_logged", "notes",
    "against_reference", "at",
}  # fmt: skip
DAMAGES = {name: SEEN[name] for name in ("a flipped bit", "gone")} | {"folder": FOLDER}
"""One of each kind; the tests of the stage have them all."""


@pytest.fixture
def out(tmp_path: Path) -> OutputLayout:
    out = OutputLayout(tmp_path / "out")
    write_stages(out, MADE, merged(MADE))
    return out


def test_every_trial_of_every_task_is_read(out: OutputLayout) -> None:
    found = read_outcomes(out, FINGERPRINTS)
    uids = {task: [line["trial_uid"] for line in lines] for task, lines in found.items()}
    assert uids == {"a": ["a_t0_ab", "a_t1_ab"], "b": ["b_t0_ab"], "c": ["c_t0_ab"]}
    assert all(set(line) == KEYS for lines in found.values() for line in lines)


def test_a_rebuilt_task_has_its_new_outcomes(out: OutputLayout) -> None:
    first = read_outcomes(out, FINGERPRINTS)
    made = [*MADE[:3], MadeTrial("c", text="other")]
    write_stages(out, made, merged(made))
    again = read_outcomes(out, merged(made).fingerprints)
    assert again["c"] != first["c"] and again["a"] == first["a"]


def test_tasks_that_are_not_requested_or_not_built_are_left_out(out: OutputLayout) -> None:
    asked = {"a": FINGERPRINTS["a"], "b": "0" * 16, "d": "1" * 16}
    assert set(read_outcomes(out, asked)) == {"a"}
    assert read_outcomes(OutputLayout(out.root / "nowhere"), asked) == {}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_journal_gives_no_wrong_outcome(
    damage: Callable[[Path], object], out: OutputLayout
) -> None:
    first, journal = read_outcomes(out, FINGERPRINTS), out.journal("tokens")
    damage(journal)
    assert read_outcomes(out, FINGERPRINTS).items() <= first.items()
    if journal.is_dir():
        journal.rmdir()
    write_stages(out, MADE, merged(MADE))
    assert read_outcomes(out, FINGERPRINTS) == first


def test_a_task_with_a_damaged_journal_line_is_left_out(out: OutputLayout) -> None:
    first = read_outcomes(out, FINGERPRINTS)
    LINES["a flipped bit"](out.journal("tokens"), stage_file(out, MADE, "b").name)
    assert read_outcomes(out, FINGERPRINTS) == {task: first[task] for task in ("a", "c")}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_task_with_a_damaged_file_is_left_out(damage: Callable[[Path], object], out: OutputLayout) -> None:
    first = read_outcomes(out, FINGERPRINTS)
    damage(stage_file(out, MADE, "b"))
    assert read_outcomes(out, FINGERPRINTS) == {task: first[task] for task in ("a", "c")}


def test_a_copy_with_new_file_times_has_the_same_outcomes(out: OutputLayout, tmp_path: Path) -> None:
    copy = OutputLayout(shutil.copytree(out.root, tmp_path / "copy", copy_function=shutil.copyfile))
    assert read_outcomes(copy, FINGERPRINTS) == read_outcomes(out, FINGERPRINTS)


def test_damage_that_keeps_size_and_time_is_found_by_remove_damaged(out: OutputLayout) -> None:
    FLIPPED_UNSEEN(stage_file(out, MADE, "b"))
    assert set(read_outcomes(out, FINGERPRINTS)) == {"a", "b", "c"}
    remove_damaged(out, "tokens", [stage_file(out, MADE, task).name for task in "abc"])
    assert set(read_outcomes(out, FINGERPRINTS)) == {"a", "c"}
    assert not stage_file(out, MADE, "b").exists()
