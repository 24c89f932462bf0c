"""Trials that can't be read, or that go while a build runs: each a drop with a reason, no failed task."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from seta_dag.executor.stage import failures
from seta_dag.rollouts.collect_trials import collect_tasks
from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.merge import Merged, merge_runs
from seta_dag.rollouts.parse_reports import parse_tasks
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.outcomes import read_outcomes
from seta_dag.tokens.tokenize_tasks import tokenize_tasks
from seta_dag_tests.support.conversations import FOLDER, write_log
from seta_dag_tests.support.rollouts import WHOLE, write_trial
from seta_dag_tests.support.unprivileged import closed

TRIAL = "X/trials/task_t0_ab"
LOGS = f"{TRIAL}/CAMEL_LOG_DIR"
LOG = f"{LOGS}/{FOLDER}/conv_20261122_121343_000001.json"
DENIED = ("ctrf_invalid", f"{REPORT}: Permission denied")
NO_LOG = ("no_conversation", "no usable log below CAMEL_LOG_DIR")
Drop = tuple[str | None, str | None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One verified trial with one log."""
    write_trial(tmp_path / "rollouts", TRIAL, info={})
    return tmp_path / "rollouts"


def outcome(root: Path, maker: RowMaker) -> dict[str, object]:
    """What becomes of the task's one trial. No stage may fail."""
    out, merged = OutputLayout(root.parent / "out"), merge_runs(root, "*", maker.student)
    assert collect_tasks(out, root, merged, ["task"]).failed == {}
    assert parse_tasks(out, root, merged, ["task"]).failed == {}
    assert tokenize_tasks(out, root, merged, maker, ["task"]).failed == {}
    return line_of(out, merged)


def line_of(out: OutputLayout, merged: Merged) -> dict[str, object]:
    """What is kept of the task's one trial."""
    (line,) = read_outcomes(out, merged.fingerprints)["task"]
    return line


CLOSED: dict[tuple[str, int], Drop] = {
    (TRIAL, 0o000): DENIED,
    (TRIAL, 0o444): DENIED,
    (TRIAL, 0o111): (None, None),  # enough to open what has a known name
    (f"{TRIAL}/verifier", 0o000): DENIED,
    (f"{TRIAL}/verifier", 0o444): DENIED,
    (f"{TRIAL}/{REPORT}", 0o000): DENIED,
    (LOGS, 0o000): NO_LOG,
    (LOGS, 0o111): NO_LOG,
    (LOGS, 0o444): NO_LOG,
    (f"{LOGS}/{FOLDER}", 0o000): NO_LOG,
    (f"{LOGS}/{FOLDER}", 0o111): NO_LOG,
    (f"{LOGS}/{FOLDER}", 0o444): NO_LOG,
    (LOG, 0o000): NO_LOG,
    (f"{TRIAL}/run_info.json", 0o000): (None, None),  # it only informs
}


@pytest.mark.parametrize(("path", "mode"), CLOSED)
def test_what_cant_be_read_is_dropped(path: str, mode: int, root: Path, maker: RowMaker) -> None:
    with closed(root / path, mode):
        line = outcome(root, maker)
    assert (line["reason"], line["detail"]) == CLOSED[path, mode]


@pytest.mark.parametrize("path", [f"{LOGS}/helper", f"{LOGS}/helper/conv_1.json"])
def test_a_closed_log_beside_a_good_one_is_told(path: str, root: Path, maker: RowMaker) -> None:
    write_log(root / TRIAL, WHOLE + b"\n", "helper/conv_1.json")
    with closed(root / path):
        line = outcome(root, maker)
    assert (line["reason"], line["flags"]) == (None, ["log_skipped"])


@pytest.mark.parametrize("place", [LOGS, f"{TRIAL}/verifier", f"{TRIAL}/run_info.json"])
def test_a_link_to_itself_in_a_trial_fails_nothing(place: str, root: Path, maker: RowMaker) -> None:
    shutil.rmtree(root / place) if (root / place).is_dir() else (root / place).unlink()
    (root / place).symlink_to((root / place).name)
    assert outcome(root, maker)["reason"] in (None, "not_verified", "no_conversation")


def test_a_trial_that_goes_fails_no_stage_that_collects_it(root: Path) -> None:
    out, merged = OutputLayout(root.parent / "out"), merge_runs(root, "*", "student")
    shutil.rmtree(root / TRIAL)
    assert collect_tasks(out, root, merged, ["task"]).failed == {}
    assert parse_tasks(out, root, merged, ["task"]).failed == {}
    assert failures(out, merged.fingerprints) == {}
