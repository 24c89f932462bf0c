"""Running a stage: failures stay with their task, and a damaged result counts as not built."""

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
# Every damage is tested where files are read (store/test_atomic.py, store/test_journal.py);
# here only those that differ for a stage: other bytes, other size, no file, no regular file.
DAMAGES = {name: SEEN[name] for name in ("a flipped bit", "cut", "gone")} | {"folder": FOLDER}
Build = Callable[[str], TaskResult]


def record_of(task: str) -> dict[str, object]:
    return {"task": task, "numbers": list(range(50)), "text": "é\n"}


def build_record(task: str) -> TaskResult:
    return TaskResult(record_of(task), Counter(tasks=1))


def build_file(out: OutputLayout) -> Build:
    """Return a build function that writes a file per task besides its record."""

    def build(task: str) -> TaskResult:
        path = token_file(out, task)
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
    build = build or (build_file(out) if stage == "tokens" else build_record)
    return run_stage(out, stage, FINGERPRINTS, tasks or list(FINGERPRINTS), build, workers=workers)


@pytest.fixture
def out(tmp_path: Path) -> OutputLayout:
    """Output directory with three tasks, all stages built."""
    out = OutputLayout(tmp_path / "out")
    for stage in TASK_STAGES:
        assert run(out, stage) == StageReport(["a", "b", "c"], Counter(tasks=3), {})
    return out


def token_file(out: OutputLayout, task: str) -> Path:
    """Path of the task's file in stage `tokens`."""
    return out.task_file("tokens", task, FINGERPRINTS[task])


def entry_name(task: str, stage: str) -> str:
    return task_file_name(stage, task, FINGERPRINTS[task])


def built(out: OutputLayout, stage: str) -> set[str]:
    return set(records(out, stage, FINGERPRINTS))


def test_only_new_and_changed_tasks_are_unbuilt(out: OutputLayout) -> None:
    assert unbuilt(out, FINGERPRINTS) == []
    assert unbuilt(out, FINGERPRINTS | {"a": "4" * 16, "d": "1" * 16}) == ["a", "d"]


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_records_are_read_back_for_current_fingerprints_only(stage: str, out: OutputLayout) -> None:
    found = records(out, stage, {**FINGERPRINTS, "a": "4" * 16, "d": "1" * 16})
    assert {task: orjson.loads(record) for task, record in found.items()} == {
        task: record_of(task) for task in ("b", "c")
    }


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_the_last_record_of_a_task_wins(stage: str, out: OutputLayout) -> None:
    run(out, stage, lambda task: TaskResult([task], Counter()), ["b"])
    found = records(out, stage, FINGERPRINTS)
    assert orjson.loads(found["b"]) == ["b"] and orjson.loads(found["c"]) == record_of("c")


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_progress_and_journal_are_in_task_order_for_any_number_of_workers(
    workers: int, tmp_path: Path
) -> None:
    out, progress = OutputLayout(tmp_path), []
    tasks = {f"{n}": "1" * 16 for n in range(20)}
    report = run_stage(
        out, "trials", tasks, tasks, build_record, tick=lambda *at: progress.append(at), workers=workers
    )
    assert report == StageReport(list(tasks), Counter(tasks=20), {})
    assert progress == [(n, 20) for n in range(1, 21)]
    assert list(journal.read(out.journal("trials"))) == [
        task_file_name("trials", *item) for item in tasks.items()
    ]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_task_with_a_damaged_file_is_unbuilt_until_rebuilt(damage: str, out: OutputLayout) -> None:
    DAMAGES[damage](token_file(out, "b"))
    assert unbuilt(out, FINGERPRINTS) == ["b"] and built(out, "tokens") == {"a", "c"}
    prune(out, FINGERPRINTS)
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    if damage == "folder":
        token_file(out, "b").rmdir()
    run(out, "tokens", tasks=["b"])
    assert unbuilt(out, FINGERPRINTS) == []


@pytest.mark.parametrize("stage", TASK_STAGES)
@pytest.mark.parametrize("damage", ["a flipped bit", "cut", "in two"])
def test_a_damaged_journal_line_makes_only_its_task_unbuilt(
    damage: str, stage: str, out: OutputLayout
) -> None:
    LINES[damage](out.journal(stage), entry_name("b", stage))
    assert unbuilt(out, FINGERPRINTS) == ["b"] and built(out, stage) == {"a", "c"}
    prune(out, FINGERPRINTS)
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    run(out, stage, tasks=["b"])
    assert unbuilt(out, FINGERPRINTS) == []


def test_the_file_of_another_task_does_not_count(out: OutputLayout) -> None:
    shutil.copy(token_file(out, "a"), token_file(out, "b"))
    assert unbuilt(out, FINGERPRINTS) == ["b"]


def test_a_line_renamed_to_another_task_does_not_count(out: OutputLayout) -> None:
    path = out.journal("ctrf")
    path.write_bytes(
        path.read_bytes().replace(entry_name("b", "ctrf").encode(), entry_name("a", "ctrf").encode())
    )
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    assert orjson.loads(records(out, "ctrf", FINGERPRINTS)["a"]) == record_of("a")


def test_a_file_without_a_journal_line_does_not_count(out: OutputLayout) -> None:
    """A build killed between writing the file and the line leaves this behind."""
    LINES["empty"](out.journal("tokens"), entry_name("b", "tokens"))
    assert token_file(out, "b").exists() and unbuilt(out, FINGERPRINTS) == ["b"]
    assert remove_damaged(out, "tokens", [entry_name(task, "tokens") for task in "abc"]) == [
        entry_name("b", "tokens")
    ]


def test_remove_damaged_finds_a_flip_that_keeps_size_and_time(out: OutputLayout) -> None:
    path = token_file(out, "b")
    FLIPPED_UNSEEN(path)
    assert unbuilt(out, FINGERPRINTS) == []
    assert remove_damaged(out, "tokens", sorted(out.built("tokens"))) == [path.name]
    assert not path.exists() and unbuilt(out, FINGERPRINTS) == ["b"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_remove_damaged_removes_only_the_damaged_file(damage: str, out: OutputLayout) -> None:
    DAMAGES[damage](token_file(out, "b"))
    assert remove_damaged(out, "tokens", [entry_name(task, "tokens") for task in "abc"]) == [
        entry_name("b", "tokens")
    ]
    assert sorted(path.name[0] for path in out.stage("tokens").iterdir()) == ["a", "c"]


def test_a_copy_with_other_times_is_intact_and_gets_new_marks(out: OutputLayout, tmp_path: Path) -> None:
    copy = OutputLayout(tmp_path / "copy")
    shutil.copytree(out.root, copy.root, copy_function=shutil.copyfile)
    before = journal.read(copy.journal("tokens"))
    assert unbuilt(copy, FINGERPRINTS) == []
    prune(copy, FINGERPRINTS)
    assert unbuilt(copy, FINGERPRINTS) == []
    after = journal.read(copy.journal("tokens"))
    for task in FINGERPRINTS:
        name = entry_name(task, "tokens")
        checksum, _, file_mark = after[name].checksum.partition(":")
        assert file_mark == mark(token_file(copy, task)).replace(" ", ":")
        assert after[name].checksum != before[name].checksum
        assert checksum == before[name].checksum.partition(":")[0]
        assert after[name].record == before[name].record


def test_a_compacted_copy_is_not_read_again(out: OutputLayout, tmp_path: Path) -> None:
    copy = OutputLayout(tmp_path / "copy")
    shutil.copytree(out.root, copy.root, copy_function=shutil.copyfile)
    compact(copy, "tokens", entries(copy, "tokens"))
    FLIPPED_UNSEEN(token_file(copy, "b"))  # only reading the file would reveal it
    assert unbuilt(copy, FINGERPRINTS) == []


@pytest.mark.parametrize("stage", TASK_STAGES)
@pytest.mark.parametrize("damage", ["a flipped bit", "longer", "gone"])
def test_a_damaged_journal_costs_only_a_rebuild(damage: str, stage: str, out: OutputLayout) -> None:
    SEEN[damage](out.journal(stage))
    lost = unbuilt(out, FINGERPRINTS)
    assert run(out, stage, tasks=lost).built == lost if lost else damage == "longer"
    assert unbuilt(out, FINGERPRINTS) == []
    assert {task: orjson.loads(record) for task, record in records(out, stage, FINGERPRINTS).items()} == {
        task: record_of(task) for task in FINGERPRINTS
    }


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_a_folder_in_place_of_the_journal_blocks_the_build_until_removed(
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
def test_a_journal_cut_in_its_last_line_takes_new_lines(stage: str, out: OutputLayout) -> None:
    path = out.journal(stage)
    path.write_bytes(path.read_bytes()[:-9])
    run(out, stage, tasks=["a"])
    assert unbuilt(out, FINGERPRINTS) == ["c"]


@pytest.mark.parametrize("stage", TASK_STAGES)
def test_a_pruned_journal_has_one_line_per_task(stage: str, out: OutputLayout) -> None:
    run(out, stage, lambda task: TaskResult("before", Counter()), ["a"])
    run(out, stage)
    prune(out, FINGERPRINTS)
    lines = out.journal(stage).read_bytes().strip(b"\n").split(b"\n")
    assert [line.split(b" ")[1].decode() for line in lines] == [entry_name(task, stage) for task in "abc"]
    assert unbuilt(out, FINGERPRINTS) == []


def test_pruning_drops_lines_and_files_of_missing_tasks(out: OutputLayout) -> None:
    token_file(out, "b").unlink()
    prune(out, {"a": FINGERPRINTS["a"], "b": FINGERPRINTS["b"]})
    for stage in TASK_STAGES:
        tasks = ["a"] if stage == "tokens" else ["a", "b"]
        assert list(journal.read(out.journal(stage))) == [entry_name(task, stage) for task in tasks]
    assert [path.name for path in out.stage("tokens").iterdir()] == [entry_name("a", "tokens")]


def test_pruning_twice_rewrites_nothing(out: OutputLayout) -> None:
    prune(out, FINGERPRINTS)
    files = [out.journal(stage).stat() for stage in TASK_STAGES]
    prune(out, FINGERPRINTS)
    assert [out.journal(stage).stat() for stage in TASK_STAGES] == files


def fail_on_b(task: str) -> TaskResult:
    if task == "b":
        raise KeyError("no such thing")
    return build_record(task)


def test_a_task_that_raises_does_not_stop_the_others(tmp_path: Path) -> None:
    out, sentence = OutputLayout(tmp_path), "trials: KeyError: 'no such thing'"
    assert run(out, "trials", fail_on_b) == StageReport(["a", "c"], Counter(tasks=2), {"b": sentence})
    assert failures(out, FINGERPRINTS) == {"b": sentence}
    assert built(out, "trials") == {"a", "c"}


@pytest.mark.parametrize("workers", [1, 4])
def test_only_the_task_that_raises_fails_on_any_number_of_threads(workers: int, tmp_path: Path) -> None:
    report = run(OutputLayout(tmp_path), "trials", fail_on_b, workers=workers)
    assert (report.built, list(report.failed)) == (["a", "c"], ["b"])


def test_a_record_that_is_not_json_serializable_stops_the_stage(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        run(OutputLayout(tmp_path), "trials", lambda task: TaskResult({1, 2}, Counter()))


def test_later_stages_skip_a_failed_task(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    first = run(out, "trials", fail_on_b)
    assert run(out, "tokens") == StageReport(["a", "c"], Counter(tasks=2), first.failed)
    assert run(out, "tokens").failed == first.failed
    assert unbuilt(out, FINGERPRINTS) == ["a", "b", "c"]


def test_a_successful_rebuild_clears_the_failure(out: OutputLayout) -> None:
    run(out, "ctrf", fail_on_b)
    assert unbuilt(out, FINGERPRINTS) == ["b"]
    run(out, "ctrf")
    assert failures(out, FINGERPRINTS) == {} and unbuilt(out, FINGERPRINTS) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_failure_note_is_ignored_and_the_task_retried(damage: str, out: OutputLayout) -> None:
    run(out, "ctrf", fail_on_b)
    DAMAGES[damage](failure_note(out, "b", FINGERPRINTS["b"]))
    assert failures(out, FINGERPRINTS) == {}
    assert run(out, "tokens").built == ["a", "b", "c"]
    assert not failure_note(out, "b", FINGERPRINTS["b"]).exists()


def always_raise(error: Exception) -> Build:
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
def test_failure_messages_contain_no_local_paths(error: Exception, sentence: str, tmp_path: Path) -> None:
    failed = run(OutputLayout(tmp_path), "ctrf", always_raise(error)).failed
    assert set(failed.values()) == {f"ctrf: {sentence}"}


def test_a_folder_in_place_of_a_stage_file_fails_its_task_without_naming_the_path(out: OutputLayout) -> None:
    FOLDER(token_file(out, "b"))
    assert run(out, "tokens").failed == {"b": "tokens: IsADirectoryError: Is a directory"}
