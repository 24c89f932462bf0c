"""Running a stage: failures stay with their task, and what is done is kept, however the stage ends."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seta_dag.errors import ConfigError
from seta_dag.executor import stage as stage_module
from seta_dag.executor.piece import Built, Piece, Result, each
from seta_dag.executor.process_pool import ProcessPool
from seta_dag.executor.stage import Stage, StageReport
from seta_dag.executor.stage_table import PieceFile, StageTable, TaskLine
from seta_dag.store.atomic import mark, written_aside
from seta_dag.store.integrity import ChecksummedFile, is_intact
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.damage import FLIPPED_UNSEEN, FOLDER, SEEN

FINGERPRINTS = {"a": "1" * 16, "b": "2" * 16, "c": "3" * 16}
# Every damage is tested where tables are read (store/test_table.py);
# here only those that differ for a file: other bytes, other size, no file, no regular file.
DAMAGES = {name: SEEN[name] for name in ("a flipped bit", "cut", "gone")} | {"folder": FOLDER}


@dataclass(frozen=True, slots=True)
class Note:
    """A record."""

    text: str
    number: int | None = None


NOTES = StageTable("notes", Note)


def note(shared: Any, task: str, given: Any) -> Built:
    """Build a record, or fail if that is the input."""
    if isinstance(given, Exception):
        raise given
    return Built((Note(f"{task} é\n", len(task)), Note("")), Counter(tasks=1))


def notes(piece: Piece) -> dict[str, Result]:
    return each("notes", note, piece)


def files(piece: Piece) -> dict[str, Result]:
    """Write a file per piece besides the records; the shared value is its folder."""
    name = "-".join(piece.tasks)
    with written_aside(piece.shared / name) as aside, ChecksummedFile(aside) as file:
        file.write(name.encode() * 1000)
        file.close()
        checksum = file.checksum(aside)
    built = each("notes", note, piece)
    return {
        task: one if isinstance(one, str) else one._replace(file=PieceFile(name, checksum))
        for task, one in built.items()
    }


def run(
    out: OutputLayout, tasks: Mapping[str, Any] | None = None, build: Any = notes, **options: Any
) -> StageReport:
    """Run the stage over pieces of one task each; a task's value is its input."""
    tasks = dict.fromkeys(FINGERPRINTS) if tasks is None else tasks
    pieces = [Piece({task: given}, out.pieces) for task, given in tasks.items()]
    return Stage(out, NOTES, FINGERPRINTS).run(build, pieces, **options)


def built(out: OutputLayout) -> set[str]:
    return set(NOTES.built(out, FINGERPRINTS))


@pytest.fixture
def out(tmp_path: Path) -> OutputLayout:
    """Output directory with three built tasks, each with a file."""
    out = OutputLayout(tmp_path / "out")
    assert run(out, build=files) == StageReport(["a", "b", "c"], Counter(tasks=3), {})
    return out


def test_records_are_read_back_for_current_fingerprints_only(out: OutputLayout) -> None:
    found = NOTES.built(out, {**FINGERPRINTS, "a": "4" * 16, "d": "1" * 16})
    assert found == {task: (Note(f"{task} é\n", 1), Note("")) for task in ("b", "c")}


def test_a_task_that_is_built_again_has_its_new_records(out: OutputLayout) -> None:
    other = Built((Note("other"),), Counter())
    run(out, {"b": None}, lambda piece: dict.fromkeys(piece.tasks, other))
    assert NOTES.built(out, FINGERPRINTS)["b"] == other.records
    assert built(out) == {"a", "b", "c"}


@pytest.mark.parametrize("workers", [None, 2])
def test_progress_counts_tasks_and_the_report_is_in_their_order(workers: int | None, tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    pool = ProcessPool(workers) if workers else None
    try:
        report = run(
            OutputLayout(tmp_path), workers=pool, tick=lambda *at: progress.append(at),
            skipped={"0": "trials: KeyError: '0'"},
        )  # fmt: skip
    finally:
        if pool:
            pool.close()
    assert report == StageReport(["a", "b", "c"], Counter(tasks=3), {"0": "trials: KeyError: '0'"})
    assert progress == [(2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_task_with_a_damaged_file_is_unbuilt_until_rebuilt(damage: str, out: OutputLayout) -> None:
    DAMAGES[damage](out.piece("b"))
    assert built(out) == {"a", "c"}
    assert NOTES.prune(out, FINGERPRINTS) == {"a", "c"} and built(out) == {"a", "c"}
    if damage == "folder":
        out.piece("b").rmdir()
    run(out, {"b": None}, files)
    assert built(out) == {"a", "b", "c"}


def test_the_file_of_another_task_does_not_count(out: OutputLayout) -> None:
    shutil.copy(out.piece("a"), out.piece("b"))
    assert built(out) == {"a", "c"}


def test_only_reading_a_file_finds_a_flip_that_keeps_size_and_time(out: OutputLayout) -> None:
    (line,) = (line for line in NOTES.read(out) if line.task == "b")
    assert line.file is not None and is_intact(out.piece("b"), line.file.checksum)
    FLIPPED_UNSEEN(out.piece("b"))
    assert built(out) == {"a", "b", "c"}
    assert not is_intact(out.piece("b"), line.file.checksum)


def test_a_pruned_copy_has_the_times_of_its_files(out: OutputLayout, tmp_path: Path) -> None:
    copy = OutputLayout(tmp_path / "copy")
    shutil.copytree(out.root, copy.root, copy_function=shutil.copyfile)
    assert built(copy) == {"a", "b", "c"}
    NOTES.prune(copy, FINGERPRINTS)
    for line in NOTES.read(copy):
        assert line.file is not None and line.file.checksum.endswith(mark(copy.piece(line.file.name)))
    FLIPPED_UNSEEN(copy.piece("b"))  # only reading the file would reveal it
    assert built(copy) == {"a", "b", "c"}


@pytest.mark.parametrize("damage", ["cut", "another file", "gone"])
def test_a_damaged_table_costs_only_a_rebuild(damage: str, out: OutputLayout) -> None:
    expected = NOTES.built(out, FINGERPRINTS)
    SEEN[damage](out.table("notes"))
    assert built(out) == set()
    run(out, build=files)
    assert NOTES.built(out, FINGERPRINTS) == expected


def test_a_folder_in_place_of_the_table_blocks_the_build_until_removed(out: OutputLayout) -> None:
    FOLDER(out.table("notes"))
    assert built(out) == set()
    with pytest.raises(OSError, match="directory"):
        run(out)
    out.table("notes").rmdir()
    run(out)
    assert built(out) == {"a", "b", "c"}


def test_pruning_drops_lines_of_other_tasks_and_fingerprints(out: OutputLayout) -> None:
    assert NOTES.prune(out, {"a": FINGERPRINTS["a"], "b": "4" * 16}) == {"a"}
    assert [line.task for line in NOTES.read(out)] == ["a"]


def test_pruning_twice_rewrites_nothing(out: OutputLayout) -> None:
    NOTES.prune(out, FINGERPRINTS)
    before = out.table("notes").stat()
    NOTES.prune(out, FINGERPRINTS)
    assert out.table("notes").stat() == before


def test_a_task_that_raises_does_not_stop_the_others(tmp_path: Path) -> None:
    out, sentence = OutputLayout(tmp_path), "notes: unexpected KeyError: 'no such thing'"
    report = run(out, {"a": None, "b": KeyError("no such thing"), "c": None})
    assert report == StageReport(["a", "c"], Counter(tasks=2), {"b": sentence})
    assert NOTES.failed(out, FINGERPRINTS) == {"b": sentence}
    assert built(out) == {"a", "c"}
    run(out, {"b": None})
    assert NOTES.failed(out, FINGERPRINTS) == {} and built(out) == {"a", "b", "c"}


def test_a_failure_of_another_fingerprint_does_not_count(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    run(out, {"b": KeyError("x")})
    assert NOTES.failed(out, {"b": "4" * 16}) == {}


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(5, "Input/output error", "/a/b"), "Input/output error"),
        (PermissionError(13, "Permission denied", "/a/b"), "Permission denied"),
        (OSError("/a/b is odd"), "no reason given"),
        (ConfigError("engine x: none"), "engine x: none"),
    ],
)
def test_failure_messages_contain_no_local_paths(error: Exception, sentence: str, tmp_path: Path) -> None:
    failed = run(OutputLayout(tmp_path), dict.fromkeys(FINGERPRINTS, error)).failed
    assert set(failed.values()) == {f"notes: {sentence}"}


def test_a_full_disk_ends_the_stage_and_fails_no_task(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    with pytest.raises(OSError, match="No space left") as raised:
        run(out, {"b": OSError(28, "No space left on device")})
    assert raised.value.errno == 28
    assert NOTES.failed(out, FINGERPRINTS) == {} and "b" not in built(out)


def test_a_piece_that_cannot_be_written_fails_its_tasks_without_naming_the_path(out: OutputLayout) -> None:
    FOLDER(out.piece("b"))
    report = run(out, build=files)
    assert report.built == ["a", "c"]
    assert report.failed == {"b": "notes: Is a directory"}


def kill_worker(piece: Piece) -> dict[str, Result]:
    """Build a piece, or end its process as the kernel does when memory runs out."""
    if "b" in piece.tasks:
        os.kill(os.getpid(), 9)
    return notes(piece)


def test_tasks_whose_workers_are_killed_fail_and_the_others_are_built(tmp_path: Path) -> None:
    pool = ProcessPool(2)
    try:
        report = run(OutputLayout(tmp_path), build=kill_worker, workers=pool)
    finally:
        pool.close()
    assert report.built == ["a", "c"]
    assert report.failed == {"b": "notes: its worker was killed 3 times"}


def interrupt(piece: Piece) -> dict[str, Result]:
    if "b" in piece.tasks:
        raise KeyboardInterrupt
    return notes(piece)


def test_an_interrupted_stage_keeps_what_is_done(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(out, build=interrupt)
    assert built(out) == {"a"}


@pytest.mark.parametrize("kept", [True, False])
def test_the_table_is_written_while_the_stage_runs(
    kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, "_SECONDS_BETWEEN_WRITES", 0.0 if kept else 1e9)
    monkeypatch.setattr(stage_module, "_SHARE_OF_TIME", 1e9)
    out, seen = OutputLayout(tmp_path), []
    run(out, tick=lambda *_: seen.append(built(out)))
    assert seen == ([set(), {"a"}, {"a", "b"}] if kept else [set()] * 3)
    assert built(out) == {"a", "b", "c"}


def test_a_worker_with_another_version_builds_nothing(tmp_path: Path) -> None:
    stage = Stage(OutputLayout(tmp_path), NOTES, FINGERPRINTS)
    with pytest.raises(ConfigError, match=r"another version of seta_dag \(\d+\); install the same"):
        stage.run(notes, [Piece({"a": None}, None, version="another")])


def test_lines_are_stored_in_the_order_of_their_tasks(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    lines = [TaskLine(task, "0" * 16, (Note(task),)) for task in "cab"]
    NOTES.write(out.table("notes"), lines)
    assert [line.task for line in NOTES.read(out)] == ["a", "b", "c"]
