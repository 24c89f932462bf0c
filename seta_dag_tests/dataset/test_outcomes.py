"""What became of the tasks is read from their stage files, or known from before, and the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from seta_dag.dataset.task_table import OUTCOME_COLUMNS, read_task

from seta_dag.dataset import outcomes as module
from seta_dag.dataset.outcomes import read_outcomes
from seta_dag.files import write_memo
from seta_dag.out import Out
from seta_dag_tests.support.damage import FLIPPED_UNSEEN, FOLDER, SEEN
from seta_dag_tests.support.made import Made, merged, stage_file, write_stages

MADE = [Made("a"), Made("a", 1, reason="no_tests"), Made("b"), Made("c")]
FINGERPRINTS = merged(MADE).fingerprints


@pytest.fixture
def out(tmp_path: Path) -> Out:
    out = Out(tmp_path)
    write_stages(out, MADE, merged(MADE))
    return out


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stage files opened, in order."""
    names: list[str] = []

    def read(path: Path) -> object:
        names.append(path.name)
        return read_task(path)

    monkeypatch.setattr(module, "read_task", read)
    return names


def test_every_trial_of_every_task_is_told(out: Out) -> None:
    found = read_outcomes(out, FINGERPRINTS)
    told = {task: [line["trial_uid"] for line in lines] for task, lines in found.items()}
    assert told == {"a": ["a_t0_ab", "a_t1_ab"], "b": ["b_t0_ab"], "c": ["c_t0_ab"]}
    assert all(list(line) == OUTCOME_COLUMNS for lines in found.values() for line in lines)


def test_what_is_known_is_not_opened_again(out: Out, opened: list[str]) -> None:
    first = read_outcomes(out, FINGERPRINTS)
    assert len(opened) == 3
    assert read_outcomes(out, FINGERPRINTS) == first and len(opened) == 3
    made = [*MADE[:3], Made("c", text="else")]
    write_stages(out, made, merged(made))
    assert read_outcomes(out, merged(made).fingerprints)["c"] != first["c"]
    assert len(opened) == 4


def test_tasks_not_asked_for_or_not_built_are_left_out(out: Out) -> None:
    asked = {"a": FINGERPRINTS["a"], "b": "0" * 16, "d": "1" * 16}
    assert set(read_outcomes(out, asked)) == {"a"}
    assert read_outcomes(Out(out.root / "nowhere"), asked) == {}


@pytest.mark.parametrize("damage", [*SEEN.values(), FOLDER], ids=[*SEEN, "folder"])
def test_a_damaged_memo_is_none(damage: Callable[[Path], object], out: Out) -> None:
    first = read_outcomes(out, FINGERPRINTS)
    damage(out.memo("outcomes"))
    if out.memo("outcomes").is_dir():
        out.memo("outcomes").rmdir()
    assert read_outcomes(out, FINGERPRINTS) == first


def test_a_memo_of_other_files_says_nothing(out: Out) -> None:
    write_memo(out.memo("outcomes"), {f"{stage_file(out, MADE, 'a').name} 1 2": [{"trial_uid": "foreign"}]})
    assert read_outcomes(out, FINGERPRINTS)["a"][0]["trial_uid"] == "a_t0_ab"


@pytest.mark.parametrize("known", [True, False], ids=["known", "not read before"])
@pytest.mark.parametrize("damage", [*SEEN.values(), FOLDER], ids=[*SEEN, "folder"])
def test_a_damaged_stage_file_is_not_there(damage: Callable[[Path], object], known: bool, out: Out) -> None:
    first = read_outcomes(out, FINGERPRINTS) if known else {}
    damage(stage_file(out, MADE, "b"))
    found = read_outcomes(out, FINGERPRINTS)
    assert set(found) == {"a", "c"}
    assert not known or found["a"] == first["a"]


def test_damage_that_nobody_saw_is_found_when_the_file_is_first_read(out: Out) -> None:
    FLIPPED_UNSEEN(stage_file(out, MADE, "b"))
    assert set(read_outcomes(out, FINGERPRINTS)) == {"a", "c"}
    assert not stage_file(out, MADE, "b").exists()
