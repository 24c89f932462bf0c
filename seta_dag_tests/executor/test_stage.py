"""A task that raises is written down and stops no other; a stage of it that is not whole is not there."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from seta_dag.errors import ConfigError
from seta_dag.executor.stage import (
    TASK_STAGES,
    StageReport,
    TaskResult,
    failure_note,
    failures,
    prune,
    records,
    run_stage,
    unbuilt,
)
from seta_dag.store import journal
from seta_dag.store.atomic import mark, written_aside
from seta_dag.store.integrity import ChecksummedFile, compact, entries, remove_damaged
from seta_dag.store.layout import OutputLayout, task_file_name
from seta_dag_tests.support.damage import FLIPPED_UNSEEN, FOLDER, LINES, SEEN

FINGERPRINTS = {"a": "1" * 16, "b": "2" * 16, "c": "3" * 16}
DAMAGES = SEEN | {"folder": FOLDER}
Build = Callable[[str], TaskResult]


def record_of(task: str) -> dict[str, object]:
    return {"task": task, "numbers": list(range(50)), "text": "é\n"}


def keep(task: str) -> TaskResult:
    return TaskResult(record_of(task), Counter(tasks=1))


def write(out: OutputLayout) -> Build:
    """Builds of a task a record and a file."""

    def build(task: str) -> TaskResult:
        path = file_of(out, task)
        with written_aside(path) as aside, ChecksummedFile(aside) as file:
            file.write(task.encode() * 1000)
            file.close()
            checksum = file.checksum(aside)
        return TaskResult(record_of(task), Counter(tasks=1), checksum)

    return build


def run(
    out: OutputLayout,
    stage: str,
    build: Build | None = None,
    tasks: list[str] | None = None,
    workers: int = 1,
) -> StageReport:
    build = build or (write(out) if stage == "tokens" else keep)
    return run_stage(out, stage, FINGERPRINTS, tasks or list(FINGERPRINTS), build, workers=workers)


@pytest.fixture
def out(tmp_path: Path) -> OutputLayout:
    """Three tasks, built."""
    out = OutputLayout(tmp_path / "out")
    for stage in TASK_STAGES:
        assert run(out, stage) == StageReport(["a", "b", "c"], Counter(tasks=3), {})
    return out


def file_of(out: OutputLayout, task: str) -> Path:
    """The file that the stage `tokens` has of a task."""
    return out.task_file("tokens", task, FINGERPRINTS[task])


def name_of(task: str, stage: str) -> str:
    return task_file_name(stage, task, FINGERPRINTS[task])


def built(out: OutputLayout, stage: str) -> set[str]:
    return set(records(out, stage, FINGERPRINTS))


def test_what_is_built_is_built(out: OutputLayout) -> None:
    assert unbuilt(out, FINGERPRINTS) == []
    assert unbuilt(out, FINGERPRINTS | {"a": "4" * 16, "d": "1" * 16}) == ["a", "d"]


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_what_is_kept_of_a_task_is_what_was_made_of_it(stage: str, out: OutputLayout) -> None:
    found = records(out, stage, {**FINGERPRINTS, "a": "4" * 16, "d": "1" * 16})
    assert {task: orjson.loads(kept) for task, kept in found.items()} == {
        task: record_of(task) for task in ("b", "c")
    }


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_what_was_made_last_of_a_task_is_kept(stage: str, out: OutputLayout) -> None:
    run(out, stage, lambda task: TaskResult([task], Counter()), ["b"])
    found = records(out, stage, FINGERPRINTS)
    assert orjson.loads(found["b"]) == ["b"] and orjson.loads(found["c"]) == record_of("c")


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_what_is_told_is_in_order_whatever_the_number_of_workers(workers: int, tmp_path: Path) -> None:
    out, told = OutputLayout(tmp_path), []
    tasks = {f"{n}": "1" * 16 for n in range(20)}
    report = run_stage(out, "trials", tasks, tasks, keep, tick=lambda *at: told.append(at), workers=workers)
    assert report == StageReport(list(tasks), Counter(tasks=20), {})
    assert told == [(n, 20) for n in range(1, 21)]
    assert list(journal.read(out.journal("trials"))) == [
        task_file_name("trials", *it) for it in tasks.items()
    ]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_stage_file_is_unbuilt_until_it_is_built_again(damage: str, out: OutputLayout) -> None:
    DAMAGES[damage](file_of(out, "b"))
    assert unbuilt(out, FINGERPRINTS) == ["b"] and built(out, "tokens") == {"a", "c"}
    prune(out, FINGERPRINTS)
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    if damage == "folder":
        file_of(out, "b").rmdir()
    run(out, "tokens", tasks=["b"])
    assert unbuilt(out, FINGERPRINTS) == []


@pytest.mark.parametrize("stage", TASK_STAGES)
@pytest.mark.parametrize("damage", LINES)
def test_a_damaged_line_makes_its_task_unbuilt_and_no_other(
    damage: str, stage: str, out: OutputLayout
) -> None:
    LINES[damage](out.journal(stage), name_of("b", stage))
    assert unbuilt(out, FINGERPRINTS) == ["b"] and built(out, stage) == {"a", "c"}
    prune(out, FINGERPRINTS)
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    run(out, stage, tasks=["b"])
    assert unbuilt(out, FINGERPRINTS) == []


def test_a_file_of_another_task_is_no_stage_file(out: OutputLayout) -> None:
    shutil.copy(file_of(out, "a"), file_of(out, "b"))
    assert unbuilt(out, FINGERPRINTS) == ["b"]


def test_a_line_of_another_task_is_none_of_this(out: OutputLayout) -> None:
    path = out.journal("ctrf")
    path.write_bytes(path.read_bytes().replace(name_of("b", "ctrf").encode(), name_of("a", "ctrf").encode()))
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    assert orjson.loads(records(out, "ctrf", FINGERPRINTS)["a"]) == record_of("a")


def test_a_stage_file_that_no_line_tells_of_is_none(out: OutputLayout) -> None:
    """As a build leaves it that is killed between the two."""
    LINES["empty"](out.journal("tokens"), name_of("b", "tokens"))
    assert file_of(out, "b").exists() and unbuilt(out, FINGERPRINTS) == ["b"]
    assert remove_damaged(out, "tokens", [name_of(task, "tokens") for task in "abc"]) == [
        name_of("b", "tokens")
    ]


def test_damage_that_leaves_size_and_time_is_found_where_it_is_looked_for(out: OutputLayout) -> None:
    path = file_of(out, "b")
    FLIPPED_UNSEEN(path)
    assert unbuilt(out, FINGERPRINTS) == []
    assert remove_damaged(out, "tokens", sorted(out.built("tokens"))) == [path.name]
    assert not path.exists() and unbuilt(out, FINGERPRINTS) == ["b"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_damaged_is_removed_where_it_is_looked_for(damage: str, out: OutputLayout) -> None:
    DAMAGES[damage](file_of(out, "b"))
    assert remove_damaged(out, "tokens", [name_of(task, "tokens") for task in "abc"]) == [
        name_of("b", "tokens")
    ]
    assert sorted(path.name[0] for path in out.stage("tokens").iterdir()) == ["a", "c"]


def test_a_copy_with_other_times_is_whole_and_noted_as_such(out: OutputLayout, tmp_path: Path) -> None:
    copy = OutputLayout(tmp_path / "copy")
    shutil.copytree(out.root, copy.root, copy_function=shutil.copyfile)
    noted = journal.read(copy.journal("tokens"))
    assert unbuilt(copy, FINGERPRINTS) == []
    prune(copy, FINGERPRINTS)
    assert unbuilt(copy, FINGERPRINTS) == []
    settled = journal.read(copy.journal("tokens"))
    for task in FINGERPRINTS:
        name = name_of(task, "tokens")
        summed, _, marked = settled[name].checksum.partition(":")
        assert (
            marked == mark(file_of(copy, task)).replace(" ", ":")
            and settled[name].checksum != noted[name].checksum
        )
        assert summed == noted[name].checksum.partition(":")[0]
        assert settled[name].record == noted[name].record


def test_a_copy_that_is_noted_is_not_read_again(out: OutputLayout, tmp_path: Path) -> None:
    copy = OutputLayout(tmp_path / "copy")
    shutil.copytree(out.root, copy.root, copy_function=shutil.copyfile)
    compact(copy, "tokens", entries(copy, "tokens"))
    FLIPPED_UNSEEN(file_of(copy, "b"))  # which only reading would show
    assert unbuilt(copy, FINGERPRINTS) == []


@pytest.mark.parametrize("stage", TASK_STAGES)
@pytest.mark.parametrize("damage", SEEN)
def test_a_damaged_journal_costs_work_and_nothing_else(damage: str, stage: str, out: OutputLayout) -> None:
    SEEN[damage](out.journal(stage))
    lost = unbuilt(out, FINGERPRINTS)
    assert run(out, stage, tasks=lost).built == lost if lost else damage == "longer"
    assert unbuilt(out, FINGERPRINTS) == []
    assert {task: orjson.loads(kept) for task, kept in records(out, stage, FINGERPRINTS).items()} == {
        task: record_of(task) for task in FINGERPRINTS
    }


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_a_folder_in_a_journals_place_lets_nothing_be_built_until_it_is_gone(
    stage: str, out: OutputLayout
) -> None:
    FOLDER(out.journal(stage))
    assert unbuilt(out, FINGERPRINTS) == ["a", "b", "c"]
    with pytest.raises(OSError, match="directory"):
        run(out, stage)
    out.journal(stage).rmdir()
    run(out, stage)
    assert unbuilt(out, FINGERPRINTS) == []


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_a_journal_cut_in_its_last_line_holds_what_comes_after_it(stage: str, out: OutputLayout) -> None:
    path = out.journal(stage)
    path.write_bytes(path.read_bytes()[:-9])
    run(out, stage, tasks=["a"])
    assert unbuilt(out, FINGERPRINTS) == ["c"]


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_a_tidied_journal_holds_a_line_of_each_task_and_no_more(stage: str, out: OutputLayout) -> None:
    run(out, stage, lambda task: TaskResult("before", Counter()), ["a"])
    run(out, stage)
    prune(out, FINGERPRINTS)
    lines = out.journal(stage).read_bytes().strip(b"\n").split(b"\n")
    assert [line.split(b" ")[1].decode() for line in lines] == [name_of(task, stage) for task in "abc"]
    assert unbuilt(out, FINGERPRINTS) == []


def test_a_tidied_journal_holds_only_what_is_there(out: OutputLayout) -> None:
    file_of(out, "b").unlink()
    prune(out, {"a": FINGERPRINTS["a"], "b": FINGERPRINTS["b"]})
    for stage in TASK_STAGES:
        tasks = ["a"] if stage == "tokens" else ["a", "b"]
        assert list(journal.read(out.journal(stage))) == [name_of(task, stage) for task in tasks]
    assert [path.name for path in out.stage("tokens").iterdir()] == [name_of("a", "tokens")]


def test_what_is_tidy_is_not_written_again(out: OutputLayout) -> None:
    prune(out, FINGERPRINTS)
    files = [out.journal(stage).stat() for stage in TASK_STAGES]
    prune(out, FINGERPRINTS)
    assert [out.journal(stage).stat() for stage in TASK_STAGES] == files


def fails(task: str) -> TaskResult:
    if task == "b":
        raise KeyError("no such thing")
    return keep(task)


def test_a_task_that_raises_stops_no_other_and_is_not_kept(tmp_path: Path) -> None:
    out, sentence = OutputLayout(tmp_path), "trials: KeyError: 'no such thing'"
    assert run(out, "trials", fails) == StageReport(["a", "c"], Counter(tasks=2), {"b": sentence})
    assert failures(out, FINGERPRINTS) == {"b": sentence}
    assert built(out, "trials") == {"a", "c"}


@pytest.mark.parametrize("workers", [1, 4])
def test_a_task_that_raises_does_so_at_its_place_on_any_number_of_threads(
    workers: int, tmp_path: Path
) -> None:
    report = run(OutputLayout(tmp_path), "trials", fails, workers=workers)
    assert (report.built, list(report.failed)) == (["a", "c"], ["b"])


def test_a_record_that_json_can_not_hold_stops_the_stage(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        run(OutputLayout(tmp_path), "trials", lambda task: TaskResult({1, 2}, Counter()))


def test_a_task_that_failed_is_passed_over_by_later_stages(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    first = run(out, "trials", fails)
    assert run(out, "tokens") == StageReport(["a", "c"], Counter(tasks=2), first.failed)
    assert run(out, "tokens").failed == first.failed
    assert unbuilt(out, FINGERPRINTS) == ["a", "b", "c"]


def test_a_task_that_is_built_at_last_has_not_failed(out: OutputLayout) -> None:
    run(out, "ctrf", fails)
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    run(out, "ctrf")
    assert failures(out, FINGERPRINTS) == {} and unbuilt(out, FINGERPRINTS) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_note_of_a_failure_tells_none_and_the_task_is_tried_again(
    damage: str, out: OutputLayout
) -> None:
    run(out, "ctrf", fails)
    DAMAGES[damage](failure_note(out, "b", FINGERPRINTS["b"]))
    assert failures(out, FINGERPRINTS) == {}
    assert run(out, "tokens").built == ["a", "b", "c"]
    assert not failure_note(out, "b", FINGERPRINTS["b"]).exists()


def _raise(error: Exception) -> Build:
    def build(task: str) -> TaskResult:
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
    failed = run(OutputLayout(tmp_path), "ctrf", _raise(error)).failed
    assert set(failed.values()) == {f"ctrf: {sentence}"}


def test_what_stands_in_a_stage_files_place_is_told_without_its_path(out: OutputLayout) -> None:
    FOLDER(file_of(out, "b"))
    assert run(out, "tokens").failed == {"b": "tokens: IsADirectoryError: Is a directory"}
