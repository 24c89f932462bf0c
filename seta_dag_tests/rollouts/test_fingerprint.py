"""A task's fingerprint changes with all that its rows depend on, and with nothing else."""

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
from seta_dag_tests.support.rollouts import WHOLE, report, write_trial
from seta_dag_tests.support.unprivileged import closed

TRIAL = "X/trials/task_t0_ab"
LOGS = f"{TRIAL}/CAMEL_LOG_DIR"
LOG = f"{LOGS}/{FOLDER}/conv_20261122_121343_000001.json"

OTHER = report(2, 2).encode()


def fingerprint(root: Path, task: str = "task", settings: str = "rules 1") -> str:
    """The fingerprint of the task below `root`."""
    trials = [trial for run in find_runs(root) for trial in list_trials(root, run)]
    return task_fingerprint(root, [trial for trial in trials if trial.task_id == task], settings)


def rewrite(path: Path, data: bytes) -> None:
    """Writes `data`, and puts the file's time back."""
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(data)
    os.utime(path, ns=times)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a log grows": lambda root: rewrite(root / LOG, WHOLE + b"\n"),
    "a log is written again": lambda root: os.utime(root / LOG, ns=(0, 0)),
    "a log may no longer be read": lambda root: (root / LOG).chmod(0),
    "a log is a dead link": lambda root: (root / LOG).with_name("conv_.json").symlink_to("gone"),
    "a log goes": lambda root: (root / LOG).unlink(),
    "a log is renamed": lambda root: (root / LOG).rename(root / LOG.replace("_000001", "_000002")),
    "a log is moved to another folder": lambda root: (root / LOGS / FOLDER).rename(root / LOGS / "z"),
    "a log comes, in a deeper folder": lambda root: write_trial(root, f"{LOGS}/a/b"),
    "the report says something else in as many bytes": lambda root: rewrite(root / TRIAL / REPORT, OTHER),
    "the report goes": lambda root: (root / TRIAL / REPORT).unlink(),
    "a run_info comes": lambda root: (root / TRIAL / "run_info.json").write_text("{}"),
    "a trial of the task comes": lambda root: write_trial(root, "X/trials/task_t1_ab"),
    "a trial of the task comes in another run": lambda root: write_trial(root, "X_resume/trials/task_t0_cd"),
    "the trial is renamed": lambda root: (root / TRIAL).rename(root / "X/trials/task_t0_cd"),
    "the run is renamed": lambda root: (root / "X").rename(root / "Y"),
}
OTHERS: dict[str, Callable[[Path], object]] = {
    "nothing": lambda root: None,
    "a trial of another task comes": lambda root: write_trial(root, "X/trials/other_t0_ab"),
    "other files of the trial come": lambda root: (root / TRIAL / "trial.log").write_text("x"),
    "an empty folder comes": lambda root: (root / TRIAL / "CAMEL_LOG_DIR/helper").mkdir(),
    "a file that is no log comes": lambda root: (root / LOGS / FOLDER / "trace.json").write_text("x"),
    "a log may be written by others": lambda root: (root / LOG).chmod(0o666),
    "the run gets a summary": lambda root: (root / "X/summary.json").write_text("{}"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_changes_with_what_the_rows_depend_on(name: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    before = fingerprint(tmp_path)
    CHANGES[name](tmp_path)
    assert fingerprint(tmp_path) != before


@pytest.mark.parametrize("name", OTHERS)
def test_it_changes_with_nothing_else(name: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    before = fingerprint(tmp_path)
    OTHERS[name](tmp_path)
    assert fingerprint(tmp_path) == before


def test_it_changes_with_the_settings(tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    assert fingerprint(tmp_path, settings="rules 2") != fingerprint(tmp_path)


def test_it_does_not_depend_on_where_the_root_is_nor_on_the_order(tmp_path: Path) -> None:
    for path in ("X/trials/task_t0_ab", "X/trials/task_t1_ab"):
        write_trial(tmp_path / "here", path)
    here = fingerprint(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    (run,) = find_runs(tmp_path / "there")
    turned = list_trials(tmp_path / "there", run)[::-1]
    assert task_fingerprint(tmp_path / "there", turned, "rules 1") == here


CLOSED = (LOGS, f"{LOGS}/{FOLDER}", LOG, f"{TRIAL}/{REPORT}", f"{TRIAL}/verifier", TRIAL)


@pytest.mark.parametrize("path", CLOSED)
def test_it_changes_when_what_was_closed_is_opened(path: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    trials = list_trials(tmp_path, run_at("X"))
    with closed(tmp_path / path):
        before = task_fingerprint(tmp_path, trials, "rules 1")
    assert task_fingerprint(tmp_path, trials, "rules 1") != before


WRITTEN: dict[str, Callable[[Path], object]] = {
    "a trial that is empty yet": lambda root: (root / "X/trials/task_t0_cd").mkdir(parents=True),
    "a log": lambda root: os.utime(root / LOG),
    "a file that is no log": lambda root: (root / TRIAL / "trial.log").write_text("x"),
    "a dead link": lambda root: (root / TRIAL / "loop").symlink_to("loop"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_whatever_is_written_into_a_trial_shows_in_its_time(name: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    for path in [*tmp_path.rglob("*")][::-1]:
        os.utime(path, ns=(0, 0))
    (run,) = find_runs(tmp_path)
    assert last_written(tmp_path, list_trials(tmp_path, run)) == 0
    start = time.time() - 1
    WRITTEN[name](tmp_path)
    assert last_written(tmp_path, list_trials(tmp_path, run)) > start


def test_a_trial_that_is_gone_was_never_written(tmp_path: Path) -> None:
    assert last_written(tmp_path, [Trial("X", "X", "task_t0_ab", "task", 0)]) == 0
