"""R1: rollouts that failed before they made a trial, one line a task and chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from seta_dag.rollouts.listing.failed_rollouts import FailedRollout, failed_rollouts, last_exception
from seta_dag.rollouts.listing.trials import find_runs, list_trials

TRACEBACK = 'Traceback (most recent call last):\n  File "eval.py", line 1, in run_one\n'
CHAINED = "\nDuring handling of the above exception, another exception occurred:\n\n"
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "eval.py", line 9, in <module>
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "eval.py", line 3, in run_one
    |     raise ValueError("boom")
    | ValueError: boom
    +------------------------------------
"""
TEXTS: dict[str, tuple[str, str]] = {
    "one line": (f"{TRACEBACK}RuntimeError: no space\n", "RuntimeError: no space"),
    "a dotted name": (f"{TRACEBACK}camel.types.ModelError: 429\n", "camel.types.ModelError: 429"),
    "no message": (f"{TRACEBACK}KeyboardInterrupt\n", "KeyboardInterrupt"),
    "a name that ends otherwise": (f"{TRACEBACK}docker.errors.NotFound: no\n", "docker.errors.NotFound: no"),
    "a message of several lines": (
        f"{TRACEBACK}RuntimeError: compose failed.\nstdout: pulling\nstderr: no space\n",
        "RuntimeError: compose failed.",
    ),
    "a message that names another": (f"{TRACEBACK}RuntimeError: x\nValueError: y\n", "RuntimeError: x"),
    "chained": (f"{TRACEBACK}KeyError: 'a'\n{CHAINED}{TRACEBACK}ValueError: b\n", "ValueError: b"),
    "a group": (GROUP, "ValueError: boom"),
    "no traceback": ("RuntimeError: build artefact\n", "RuntimeError: build artefact"),
    "no traceback, a line after": ("pulling\nOSError: gone\nbye\n", "OSError: gone"),
    "no exception": ("it just stopped\n\n", "it just stopped"),
    "windows lines": (f"{TRACEBACK}OSError: gone\n".replace("\n", "\r\n"), "OSError: gone"),
    "empty": ("", ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_last_exception_line_is_found(name: str) -> None:
    text, expected = TEXTS[name]
    assert last_exception(text) == expected


def fail(root: Path, run: str, name: str, text: str = "OSError: gone") -> None:
    """Writes a file into the run's `failed/`."""
    path = root / run / "failed" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def try_out(root: Path, run: str, *trials: str) -> None:
    """Makes trial directories in the run."""
    for name in ("_build", *trials):
        (root / run / "trials" / name).mkdir(parents=True, exist_ok=True)


def found(root: Path) -> list[FailedRollout]:
    """The failed rollouts below `root`."""
    runs = find_runs(root)
    return failed_rollouts(root, runs, [trial for run in runs for trial in list_trials(root, run)])


def test_a_task_without_a_trial_in_its_chain_failed(tmp_path: Path) -> None:
    try_out(tmp_path, "X", "other_t0_ab")
    fail(tmp_path, "X", "task.txt")
    assert found(tmp_path) == [FailedRollout("X", "X", "task", "OSError: gone")]


def test_one_line_a_chain_with_the_latest_attempt(tmp_path: Path) -> None:
    for n, run in enumerate(("X", "X_resume", "X_resume_2", "X_resume_10")):
        try_out(tmp_path, run)
        fail(tmp_path, run, "task.txt", f"OSError: {n}")
    assert found(tmp_path) == [FailedRollout("X", "X_resume_10", "task", "OSError: 3")]


def test_a_trial_of_another_chain_does_not_count(tmp_path: Path) -> None:
    try_out(tmp_path, "X")
    try_out(tmp_path, "Y", "task_t0_ab")
    fail(tmp_path, "X", "task.txt")
    fail(tmp_path, "Y", "task.txt")
    assert [(one.chain, one.task_id) for one in found(tmp_path)] == [("X", "task")]


@pytest.mark.parametrize("run", ["X", "X_resume"])
def test_a_trial_anywhere_in_the_chain_counts(run: str, tmp_path: Path) -> None:
    for name in ("X", "X_resume"):
        try_out(tmp_path, name)
        fail(tmp_path, name, "task.txt")
    try_out(tmp_path, run, "task_t0_ab")
    assert found(tmp_path) == []


@pytest.mark.parametrize("name", ["build_task.txt", "task.log", "task", "notes.md", ".txt"])
def test_other_files_are_no_failed_rollouts(name: str, tmp_path: Path) -> None:
    try_out(tmp_path, "X")
    fail(tmp_path, "X", name)
    assert found(tmp_path) == []


def test_a_folder_named_like_a_task_is_no_failed_rollout(tmp_path: Path) -> None:
    try_out(tmp_path, "X")
    (tmp_path / "X/failed/task.txt").mkdir(parents=True)
    assert found(tmp_path) == []


def test_a_file_in_the_place_of_the_folder_holds_no_failed_rollout(tmp_path: Path) -> None:
    try_out(tmp_path, "X")
    (tmp_path / "X/failed").write_text("OSError: gone")
    assert found(tmp_path) == []


def test_a_task_name_may_hold_dots_and_unicode_and_bytes_may_be_wrong(tmp_path: Path) -> None:
    try_out(tmp_path, "X")
    fail(tmp_path, "X", "数据.v1.2.txt")
    (tmp_path / "X/failed/数据.v1.2.txt").write_bytes(b"OSError: \xff")
    assert found(tmp_path) == [FailedRollout("X", "X", "数据.v1.2", "OSError: \ufffd")]
