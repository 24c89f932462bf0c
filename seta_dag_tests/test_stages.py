"""A task that raises is written down and stops no other; a stage file that is not whole is not there."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError
from seta_dag.files import write_json
from seta_dag.out import Out
from seta_dag.stages import TASK_STAGES, StageReport, failure_note, failures, run_stage, unbuilt
from seta_dag.whole import remove_damaged, settle, whole
from seta_dag_tests.support.damage import FLIPPED_UNSEEN, FOLDER, SEEN

FINGERPRINTS = {"a": "1" * 16, "b": "2" * 16, "c": "3" * 16}
DAMAGES = SEEN | {"folder": FOLDER}


def write(task: str, path: Path) -> Counter[str]:
    write_json(path, {"task": task, "numbers": list(range(50))})
    return Counter(files=1)


def run(out: Out, stage: str, build: Callable[[str, Path], Counter[str]] = write) -> StageReport:
    return run_stage(out, stage, FINGERPRINTS, FINGERPRINTS, build)


@pytest.fixture
def out(tmp_path: Path) -> Out:
    """Three tasks, built."""
    out = Out(tmp_path / "out")
    for stage in TASK_STAGES:
        assert run(out, stage) == StageReport(["a", "b", "c"], Counter(files=3), {})
    return out


def file_of(out: Out, task: str, stage: str) -> Path:
    return out.task_file(stage, task, FINGERPRINTS[task])


def test_what_is_built_is_built(out: Out) -> None:
    assert unbuilt(out, FINGERPRINTS) == []
    assert unbuilt(out, FINGERPRINTS | {"a": "4" * 16, "d": "1" * 16}) == ["a", "d"]


@pytest.mark.parametrize("stage", TASK_STAGES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_stage_file_is_unbuilt_until_it_is_built_again(damage: str, stage: str, out: Out) -> None:
    DAMAGES[damage](file_of(out, "b", stage))
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    settle(out, stage)
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    if damage == "folder":
        file_of(out, "b", stage).rmdir()
    run(out, stage)
    assert unbuilt(out, FINGERPRINTS) == []


def test_a_file_of_another_task_is_no_stage_file(out: Out) -> None:
    shutil.copy(file_of(out, "a", "ctrf"), file_of(out, "b", "ctrf"))
    assert unbuilt(out, FINGERPRINTS) == ["b"]


def test_damage_that_leaves_size_and_time_is_found_where_it_is_looked_for(out: Out) -> None:
    path = file_of(out, "b", "tokens")
    FLIPPED_UNSEEN(path)
    assert remove_damaged(out, "tokens", sorted(out.built("tokens"))) == [path.name]
    assert unbuilt(out, FINGERPRINTS) == ["b"]


def test_a_copy_with_other_times_is_whole_and_noted_as_such(out: Out, tmp_path: Path) -> None:
    copy = Out(tmp_path / "copy")
    shutil.copytree(out.root, copy.root, copy_function=shutil.copyfile)
    noted = (copy.stages / ".ctrf.sums").read_bytes()
    assert unbuilt(copy, FINGERPRINTS) == []
    settle(copy, "ctrf")
    assert unbuilt(copy, FINGERPRINTS) == []
    assert (copy.stages / ".ctrf.sums").read_bytes() != noted


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_list_costs_work_and_nothing_else(damage: str, out: Out) -> None:
    DAMAGES[damage](out.stages / ".tokens.sums")
    lost = unbuilt(out, FINGERPRINTS)
    report = run_stage(out, "tokens", FINGERPRINTS, lost, write)
    assert (report.built == lost) == (damage != "folder")
    assert unbuilt(out, FINGERPRINTS) == ([] if damage != "folder" else ["a", "b", "c"])


def test_a_list_cut_in_its_last_line_holds_what_comes_after_it(out: Out) -> None:
    path = out.stages / ".tokens.sums"
    path.write_bytes(path.read_bytes()[:-9])
    run_stage(out, "tokens", FINGERPRINTS, ["a"], write)
    assert unbuilt(out, FINGERPRINTS) == ["c"]


def test_a_list_holds_only_what_is_there(out: Out) -> None:
    file_of(out, "b", "ctrf").unlink()
    run(out, "ctrf")
    out.remove_stale("ctrf", {"a": FINGERPRINTS["a"]})
    settle(out, "ctrf")
    assert len((out.stages / ".ctrf.sums").read_text().splitlines()) == 1
    assert set(whole(out, "ctrf")) == {file_of(out, "a", "ctrf").name}


def fails(task: str, path: Path) -> Counter[str]:
    if task == "b":
        path.write_text("half")
        raise KeyError("no such thing")
    return write(task, path)


def test_a_task_that_raises_stops_no_other_and_leaves_no_file(tmp_path: Path) -> None:
    out, sentence = Out(tmp_path), "trials: KeyError: 'no such thing'"
    assert run(out, "trials", fails) == StageReport(["a", "c"], Counter(files=2), {"b": sentence})
    assert failures(out, FINGERPRINTS) == {"b": sentence}
    assert not file_of(out, "b", "trials").exists() and not list(tmp_path.rglob(".*.part"))


def test_a_task_that_failed_is_passed_over_by_later_stages(tmp_path: Path) -> None:
    out = Out(tmp_path)
    first = run(out, "trials", fails)
    assert run(out, "tokens") == StageReport(["a", "c"], Counter(files=2), first.failed)
    assert run(out, "tokens").failed == first.failed
    assert unbuilt(out, FINGERPRINTS) == ["a", "b", "c"]


def test_a_task_that_is_built_at_last_has_not_failed(out: Out) -> None:
    run(out, "ctrf", fails)
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    run(out, "ctrf")
    assert failures(out, FINGERPRINTS) == {} and unbuilt(out, FINGERPRINTS) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_note_of_a_failure_tells_none_and_the_task_is_tried_again(damage: str, out: Out) -> None:
    run(out, "ctrf", fails)
    DAMAGES[damage](failure_note(out, "b", FINGERPRINTS["b"]))
    assert failures(out, FINGERPRINTS) == {}
    assert run(out, "tokens").built == ["a", "b", "c"]
    assert not failure_note(out, "b", FINGERPRINTS["b"]).exists()


def _raise(error: Exception) -> Callable[[str, Path], Counter[str]]:
    def build(task: str, path: Path) -> Counter[str]:
        raise error

    return build


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device", "/a/b"), "OSError: No space left on device"),
        (PermissionError(13, "Permission denied", "/a/b"), "PermissionError: Permission denied"),
        (OSError("/a/b is odd"), "OSError: no reason given"),
        (ConfigError("engine x: none"), "ConfigError: engine x: none"),
    ],
)
def test_a_failure_is_told_without_the_paths_of_this_machine(
    error: Exception, sentence: str, tmp_path: Path
) -> None:
    failed = run(Out(tmp_path), "ctrf", _raise(error)).failed
    assert set(failed.values()) == {f"ctrf: {sentence}"}


def test_what_stands_in_a_stage_files_place_is_told_without_its_path(out: Out) -> None:
    FOLDER(file_of(out, "b", "ctrf"))
    assert run(out, "ctrf").failed == {"b": "ctrf: IsADirectoryError: Is a directory"}
