"""Unreadable and deleted trials are dropped with a reason; their task does not fail (R3, R4)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from seta_dag.rollouts.collect_trials import collect_tasks
from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.merge import merge_runs
from seta_dag.rollouts.parse_reports import parse_tasks
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.built import failures
from seta_dag.tokens.outcomes import OUTCOMES, TrialOutcome
from seta_dag.tokens.row_settings import RowSettings
from seta_dag.tokens.student.student import DEFAULT_STUDENT, find_student
from seta_dag.tokens.tokenize_tasks import tokenize_tasks
from seta_dag_tests.support.conversations import FOLDER, write_log
from seta_dag_tests.support.rollouts import USABLE_LOG, write_trial
from seta_dag_tests.support.unprivileged import closed

TRIAL = "X/trials/task_t0_ab"
LOGS = f"{TRIAL}/CAMEL_LOG_DIR"
NAME = f"{FOLDER}/conv_20261122_121343_000001.json"
LOG = f"{LOGS}/{NAME}"
DENIED = ("ctrf_invalid", f"{REPORT}: Permission denied")
STUDENT = find_student(DEFAULT_STUDENT)
SETTINGS = RowSettings(STUDENT.name, STUDENT.identity, "fastokens", prove_all=True)
Drop = tuple[str | None, str | None]


def refused(name: str, why: str) -> Drop:
    return "no_conversation", f"none of 1 usable: {name}: {why}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A rollouts root with one verified trial that has one log."""
    write_trial(tmp_path / "rollouts", TRIAL, info={})
    return tmp_path / "rollouts"


def build_trial(root: Path) -> TrialOutcome:
    """Build the only task in all stages, none of which may fail; return the outcome of its only trial."""
    out, merged = OutputLayout(root.parent / "out"), merge_runs(root, "*", SETTINGS.identity)
    assert collect_tasks(out, root, merged, ["task"]).failed == {}
    assert parse_tasks(out, root, merged, ["task"]).failed == {}
    assert tokenize_tasks(out, root, merged, SETTINGS, ["task"]).failed == {}
    (outcome,) = OUTCOMES.built(out, merged.fingerprints)["task"]
    return outcome


UNREADABLE: dict[tuple[str, int], Drop] = {
    (TRIAL, 0o000): DENIED,
    (TRIAL, 0o111): (None, None),  # cannot be listed, but files with a known name can be opened
    (f"{TRIAL}/verifier", 0o000): DENIED,
    (f"{TRIAL}/{REPORT}", 0o000): DENIED,
    (LOGS, 0o000): refused("CAMEL_LOG_DIR", "cannot be listed"),
    (LOGS, 0o444): refused(FOLDER, "cannot be listed"),  # can be listed, but not entered
    (f"{LOGS}/{FOLDER}", 0o000): refused(FOLDER, "cannot be listed"),
    (f"{LOGS}/{FOLDER}", 0o444): refused(
        NAME, "Permission denied"
    ),  # the log is listed, but cannot be opened
    (LOG, 0o000): refused(NAME, "Permission denied"),
    (f"{TRIAL}/run_info.json", 0o000): (None, None),  # no row depends on it
}


@pytest.mark.parametrize(("path", "mode"), UNREADABLE)
def test_unreadable_trial_is_dropped_with_a_reason(path: str, mode: int, root: Path) -> None:
    with closed(root / path, mode):
        outcome = build_trial(root)
    assert (outcome.reason, outcome.detail) == UNREADABLE[path, mode]


@pytest.mark.parametrize("path", [f"{LOGS}/helper", f"{LOGS}/helper/conv_1.json"])
def test_unreadable_log_next_to_a_usable_one_is_flagged(path: str, root: Path) -> None:
    write_log(root / TRIAL, USABLE_LOG + b"\n", "helper/conv_1.json")
    with closed(root / path):
        outcome = build_trial(root)
    assert (outcome.reason, outcome.flags) == (None, ("log_skipped",))


LOOPS = {LOGS: "no_conversation", f"{TRIAL}/verifier": "not_verified", f"{TRIAL}/run_info.json": None}


@pytest.mark.parametrize("path", LOOPS)
def test_link_to_itself_counts_as_missing(path: str, root: Path) -> None:
    shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()
    (root / path).symlink_to((root / path).name)
    assert build_trial(root).reason == LOOPS[path]


def test_trial_that_is_deleted_meanwhile_fails_neither_its_record_nor_its_report(root: Path) -> None:
    out, merged = OutputLayout(root.parent / "out"), merge_runs(root, "*", "student")
    shutil.rmtree(root / TRIAL)
    assert collect_tasks(out, root, merged, ["task"]).failed == {}
    assert parse_tasks(out, root, merged, ["task"]).failed == {}
    assert failures(out, merged.fingerprints) == {}


@pytest.mark.parametrize("other", ["conv_1.json", "conv_3.json"])
def test_reasoning_nested_too_deep_drops_its_trial_only(other: str, root: Path) -> None:
    deep: object = "Think."
    for _ in range(900):  # JSON is readable to this depth, but the reader would run out of stack
        deep = [deep]
    message = {"role": "assistant", "content": "Done.", "reasoning": deep}
    (root / LOG).unlink()
    nested = json.dumps({"request": {"messages": [message, message]}}).encode()
    write_log(root / TRIAL, nested, "agent/conv_2.json")
    write_log(root / TRIAL, USABLE_LOG, f"agent/{other}")
    assert build_trial(root).reason == "no_conversation"
