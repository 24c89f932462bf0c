"""Rollouts that failed before they created a trial directory: one per chain and task (R1)."""

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
    "dotted name": (f"{TRACEBACK}camel.types.ModelError: 429\n", "camel.types.ModelError: 429"),
    "no message": (f"{TRACEBACK}KeyboardInterrupt\n", "KeyboardInterrupt"),
    "name without Error or Exception": (
        f"{TRACEBACK}docker.errors.NotFound: no\n",
        "docker.errors.NotFound: no",
    ),
    "message of several lines": (
        f"{TRACEBACK}RuntimeError: compose failed.\nstdout: pulling\nstderr: no space\n",
        "RuntimeError: compose failed.",
    ),
    "message that looks like an exception": (
        f"{TRACEBACK}RuntimeError: x\nValueError: y\n",
        "RuntimeError: x",
    ),
    "chained exceptions": (f"{TRACEBACK}KeyError: 'a'\n{CHAINED}{TRACEBACK}ValueError: b\n", "ValueError: b"),
    "exception group": (GROUP, "ValueError: boom"),
    "no traceback": ("RuntimeError: build artefact\n", "RuntimeError: build artefact"),
    "no traceback, more text after it": ("pulling\nOSError: gone\nbye\n", "OSError: gone"),
    "no exception": ("it just stopped\n\n", "it just stopped"),
    "Windows line ends": (f"{TRACEBACK}OSError: gone\n".replace("\n", "\r\n"), "OSError: gone"),
    "empty": ("", ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_line_that_names_the_last_exception_is_returned(name: str) -> None:
    text, expected = TEXTS[name]
    assert last_exception(text) == expected


def write_failed(root: Path, run: str, name: str, text: str = "OSError: gone") -> None:
    """Write a file into `failed/` of a run."""
    path = root / run / "failed" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make_run(root: Path, run: str, *trials: str) -> None:
    """Create a run with these trial directories, and an image build."""
    for name in ("_build", *trials):
        (root / run / "trials" / name).mkdir(parents=True, exist_ok=True)


def found(root: Path) -> list[FailedRollout]:
    """Return the failed rollouts below `root`."""
    runs = find_runs(root)
    return failed_rollouts(root, runs, [trial for run in runs for trial in list_trials(root, run)])


def test_task_with_a_traceback_and_no_trial_is_a_failed_rollout(tmp_path: Path) -> None:
    make_run(tmp_path, "X", "other_t0_ab")
    write_failed(tmp_path, "X", "task.txt")
    assert found(tmp_path) == [FailedRollout("X", "X", "task", "OSError: gone")]


def test_chain_gives_one_line_from_its_latest_run(tmp_path: Path) -> None:
    for n, run in enumerate(("X", "X_resume", "X_resume_2", "X_resume_10")):
        make_run(tmp_path, run)
        write_failed(tmp_path, run, "task.txt", f"OSError: {n}")
    assert found(tmp_path) == [FailedRollout("X", "X_resume_10", "task", "OSError: 3")]


def test_trial_in_another_chain_does_not_matter(tmp_path: Path) -> None:
    make_run(tmp_path, "X")
    make_run(tmp_path, "Y", "task_t0_ab")
    write_failed(tmp_path, "X", "task.txt")
    write_failed(tmp_path, "Y", "task.txt")
    assert [(one.chain, one.task_id) for one in found(tmp_path)] == [("X", "task")]


@pytest.mark.parametrize("run", ["X", "X_resume"])
def test_task_with_a_trial_anywhere_in_its_chain_is_not_a_failed_rollout(run: str, tmp_path: Path) -> None:
    for name in ("X", "X_resume"):
        make_run(tmp_path, name)
        write_failed(tmp_path, name, "task.txt")
    make_run(tmp_path, run, "task_t0_ab")
    assert found(tmp_path) == []


@pytest.mark.parametrize("name", ["build_task.txt", "task.log", "task", "notes.md", ".txt"])
def test_other_files_are_ignored(name: str, tmp_path: Path) -> None:
    make_run(tmp_path, "X")
    write_failed(tmp_path, "X", name)
    assert found(tmp_path) == []


def test_directory_named_like_a_traceback_is_ignored(tmp_path: Path) -> None:
    make_run(tmp_path, "X")
    (tmp_path / "X/failed/task.txt").mkdir(parents=True)
    assert found(tmp_path) == []


def test_file_named_failed_is_ignored(tmp_path: Path) -> None:
    make_run(tmp_path, "X")
    (tmp_path / "X/failed").write_text("OSError: gone")
    assert found(tmp_path) == []


def test_task_name_may_contain_dots_and_unicode_and_the_text_may_be_invalid_utf8(tmp_path: Path) -> None:
    make_run(tmp_path, "X")
    write_failed(tmp_path, "X", "数据.v1.2.txt")
    (tmp_path / "X/failed/数据.v1.2.txt").write_bytes(b"OSError: \xff")
    assert found(tmp_path) == [FailedRollout("X", "X", "数据.v1.2", "OSError: \ufffd")]
