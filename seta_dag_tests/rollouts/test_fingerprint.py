"""The fingerprint of a task changes with everything that its rows depend on and with nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.fingerprint import last_written, task_fingerprint
from seta_dag.rollouts.listing.trials import Trial, find_runs, list_trials, run_at
from seta_dag_tests.support.conversations import FOLDER
from seta_dag_tests.support.rollouts import USABLE_LOG, report, write_trial
from seta_dag_tests.support.unprivileged import closed

TRIAL = "X/trials/task_t0_ab"
LOGS = f"{TRIAL}/CAMEL_LOG_DIR"
LOG = f"{LOGS}/{FOLDER}/conv_20261122_121343_000001.json"

OTHER = report(2, 2).encode()


def fingerprint(root: Path, student: str = "student 1") -> str:
    """Return the fingerprint of `task` below `root`."""
    trials = [trial for run in find_runs(root) for trial in list_trials(root, run)]
    return task_fingerprint(root, [trial for trial in trials if trial.task_id == "task"], student)


def rewrite(path: Path, data: bytes) -> None:
    """Write `data`, but keep the times of the file."""
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(data)
    os.utime(path, ns=times)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a log grows": lambda root: rewrite(root / LOG, USABLE_LOG + b"\n"),
    "a log has another time": lambda root: os.utime(root / LOG, ns=(0, 0)),
    "a log loses its permissions": lambda root: (root / LOG).chmod(0),
    "a dead link is added as a log": lambda root: (root / LOG).with_name("conv_.json").symlink_to("gone"),
    "a log is deleted": lambda root: (root / LOG).unlink(),
    "a log is renamed": lambda root: (root / LOG).rename(root / LOG.replace("_000001", "_000002")),
    "a log is moved to another directory": lambda root: (root / LOGS / FOLDER).rename(root / LOGS / "z"),
    "a log is added in a deeper directory": lambda root: write_trial(root, f"{LOGS}/a/b"),
    "the report changes, but not its size and time": lambda root: rewrite(root / TRIAL / REPORT, OTHER),
    "the report is deleted": lambda root: (root / TRIAL / REPORT).unlink(),
    "run_info.json is added": lambda root: (root / TRIAL / "run_info.json").write_text("{}"),
    "a trial is added": lambda root: write_trial(root, "X/trials/task_t1_ab"),
    "a trial is added in another run": lambda root: write_trial(root, "X_resume/trials/task_t0_cd"),
    "the trial is renamed": lambda root: (root / TRIAL).rename(root / "X/trials/task_t0_cd"),
    "the run is renamed": lambda root: (root / "X").rename(root / "Y"),
}
UNRELATED: dict[str, Callable[[Path], object]] = {
    "nothing": lambda root: None,
    "a trial of another task is added": lambda root: write_trial(root, "X/trials/other_t0_ab"),
    "another file of the trial is added": lambda root: (root / TRIAL / "trial.log").write_text("x"),
    "an empty directory is added": lambda root: (root / TRIAL / "CAMEL_LOG_DIR/helper").mkdir(),
    "a file that is not a log is added": lambda root: (root / LOGS / FOLDER / "trace.json").write_text("x"),
    "others may write a log": lambda root: (root / LOG).chmod(0o666),
    "the run gets a summary.json": lambda root: (root / "X/summary.json").write_text("{}"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_fingerprint_changes_if(name: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    before = fingerprint(tmp_path)
    CHANGES[name](tmp_path)
    assert fingerprint(tmp_path) != before


@pytest.mark.parametrize("name", UNRELATED)
def test_fingerprint_does_not_change_if(name: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    before = fingerprint(tmp_path)
    UNRELATED[name](tmp_path)
    assert fingerprint(tmp_path) == before


def test_fingerprint_changes_with_the_student(tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    assert fingerprint(tmp_path, student="student 2") != fingerprint(tmp_path)


def test_fingerprint_depends_neither_on_the_location_of_the_root_nor_on_the_order_of_trials(
    tmp_path: Path,
) -> None:
    for path in ("X/trials/task_t0_ab", "X/trials/task_t1_ab"):
        write_trial(tmp_path / "here", path)
    here = fingerprint(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    (run,) = find_runs(tmp_path / "there")
    backwards = list_trials(tmp_path / "there", run)[::-1]
    assert task_fingerprint(tmp_path / "there", backwards, "student 1") == here


UNREADABLE = (LOGS, f"{LOGS}/{FOLDER}", LOG, f"{TRIAL}/{REPORT}", f"{TRIAL}/verifier", TRIAL)


@pytest.mark.parametrize("path", UNREADABLE)
def test_fingerprint_changes_when_permission_is_granted(path: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    trials = list_trials(tmp_path, run_at("X"))
    with closed(tmp_path / path):
        before = task_fingerprint(tmp_path, trials, "student 1")
    assert task_fingerprint(tmp_path, trials, "student 1") != before


WRITTEN: dict[str, Callable[[Path], object]] = {
    "an empty trial": lambda root: (root / "X/trials/task_t0_cd").mkdir(parents=True),
    "a log": lambda root: os.utime(root / LOG),
    "another file": lambda root: (root / TRIAL / "trial.log").write_text("x"),
    "a dead link": lambda root: (root / TRIAL / "loop").symlink_to("loop"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_last_written_is_the_time_of_the_latest_change(name: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    for path in [*tmp_path.rglob("*")][::-1]:
        os.utime(path, ns=(0, 0))
    (run,) = find_runs(tmp_path)
    assert last_written(tmp_path, list_trials(tmp_path, run)) == 0
    start = time.time() - 1
    WRITTEN[name](tmp_path)
    assert last_written(tmp_path, list_trials(tmp_path, run)) > start


def test_deleted_trial_was_last_written_at_0(tmp_path: Path) -> None:
    assert last_written(tmp_path, [Trial("X", "X", "task_t0_ab", "task", 0)]) == 0
