"""The list of tests, or else the summary, of a report gives the reward or a reason (R3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.rollouts.ctrf import REPORT, Report, parse_report, read_report

PUBLIC = sorted((Path(__file__).parent.parent / "golden" / "ctrf").glob("*.json"))


def report(tests: Any = None, summary: Any = None, **more: Any) -> str:
    """Return a report with these parts, without those that are None."""
    parts = {"tests": tests, "summary": summary}
    return json.dumps({"results": {k: v for k, v in parts.items() if v is not None} | more})


def entries(*statuses: Any) -> list[dict[str, Any]]:
    """Return a list of tests with these statuses, all with the same name."""
    return [{"name": "test_outputs.py::test_a", "status": status} for status in statuses]


def summary(total: Any, passed: Any) -> dict[str, Any]:
    """Return a summary with the two counts that matter and other keys."""
    return {"tests": total, "passed": passed, "failed": 0, "skipped": 0, "start": 1.5, "stop": 2}


MIXED = entries("passed", "failed", "skipped", "pending", "other")
# Report, passed tests, all tests, and whether list and summary disagree.
REWARDS: dict[str, tuple[str, int, int, bool]] = {
    "list and summary agree": (report(entries("passed", "failed"), summary(2, 1)), 1, 2, False),
    "every status": (report(MIXED, summary(5, 1)), 1, 5, False),
    "unknown statuses": (
        report(entries("passed", "Passed", "PASSED", ""), summary(4, 1)),
        1,
        4,
        False,
    ),
    "reward of 0": (report(entries("failed"), summary(1, 0)), 0, 1, False),
    "445 tests": (report(entries(*["passed"] * 445), summary(445, 445)), 445, 445, False),
    "summary with another number of tests": (report(entries("passed"), summary(2, 1)), 1, 1, True),
    "summary with another number of passed tests": (report(entries("passed"), summary(1, 0)), 1, 1, True),
    "summary with strings": (report(entries("passed"), summary("1", "1")), 1, 1, True),
    "summary with more passed than all tests": (report(entries("passed"), summary(1, 2)), 1, 1, True),
    "no summary": (report(entries("passed", "failed")), 1, 2, True),
    "summary is a list": (report(entries("passed"), []), 1, 1, True),
    "no list of tests": (report(None, summary(3, 2)), 2, 3, False),
    "empty list of tests": (report([], summary(3, 2)), 2, 3, False),
    "list of strings": (report(["passed"], summary(3, 2)), 2, 3, False),
    "test without a status": (report([*entries("passed"), {"name": "x"}], summary(3, 2)), 2, 3, False),
    "status is null": (report(entries("passed", None), summary(3, 2)), 2, 3, False),
    "status is a number": (report(entries("passed", 1), summary(3, 2)), 2, 3, False),
    "tests is an object": (report({"status": "passed"}, summary(3, 2)), 2, 3, False),
    "keys of an older plug-in": (
        report([{"name": "a", "status": "passed", "raw_status": "x", "duration": 0.001}], summary(1, 1)),
        1,
        1,
        False,
    ),
    "keys of a newer plug-in": (
        json.dumps({"reportFormat": "CTRF", **json.loads(report(entries("passed"), summary(1, 1)))}),
        1,
        1,
        False,
    ),
    "retries and flaky": (
        report([{"name": "a", "status": "passed", "retries": 2, "flaky": True}], summary(1, 1)),
        1,
        1,
        False,
    ),
    "NaN next to the counts": (
        report(entries("passed"), {**summary(1, 1), "stop": float("nan")}),
        1,
        1,
        False,
    ),
    "byte order mark": ("\ufeff" + report(entries("passed"), summary(1, 1)), 1, 1, False),
    "lone surrogate": (report([{"name": "\ud800", "status": "passed"}], summary(1, 1)), 1, 1, False),
}
REASONS: dict[str, tuple[str, str]] = {
    "empty list and no summary": (report([]), "no_tests"),
    "0 tests": (report([], summary(0, 0)), "no_tests"),
    "0 tests and no list": (report(None, summary(0, 0)), "no_tests"),
    "0 tests and an unusable list": (report([1], summary(0, 0)), "no_tests"),
    "empty list and an unusable summary": (report([], summary("0", 0)), "ctrf_invalid"),
    "neither list nor summary": (report(), "ctrf_invalid"),
    "unusable list and no summary": (report([{"name": "x"}]), "ctrf_invalid"),
    "counts as strings": (report(None, summary("3", "2")), "ctrf_invalid"),
    "counts as floats": (report(None, summary(3.0, 2.0)), "ctrf_invalid"),
    "passed is a boolean": (report(None, summary(1, True)), "ctrf_invalid"),
    "tests is a boolean": (report(None, summary(True, 1)), "ctrf_invalid"),
    "negative counts": (report(None, summary(3, -1)), "ctrf_invalid"),
    "more passed than all tests": (report(None, summary(3, 4)), "ctrf_invalid"),
    "no counts": (report(None, {"start": 1}), "ctrf_invalid"),
    "count is NaN": (report(None, summary(float("nan"), 1)), "ctrf_invalid"),
    "no results": ("{}", "ctrf_invalid"),
    "results is a list": ('{"results": []}', "ctrf_invalid"),
    "a list": ("[]", "ctrf_invalid"),
    "a string": ('"passed"', "ctrf_invalid"),
    "null": ("null", "ctrf_invalid"),
    "empty file": ("", "ctrf_invalid"),
    "number of tests exceeds 64 bits": (report(None, summary(2**63, 1)), "ctrf_invalid"),
    "number of passed tests exceeds 64 bits": (report([], summary(2**64, 2**64)), "ctrf_invalid"),
    "truncated file": (report(MIXED, summary(5, 1))[:100], "ctrf_invalid"),
    "100,000 brackets": ("[" * 100_000, "ctrf_invalid"),
}


def write_and_read(trial: Path, text: str) -> Report:
    """Write `text` as the report of a trial and read it."""
    path = trial / REPORT
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return read_report(trial)


@pytest.mark.parametrize("name", REWARDS)
def test_report_gives_a_reward(name: str, tmp_path: Path) -> None:
    text, passed, total, mismatch = REWARDS[name]
    found = write_and_read(tmp_path, text)
    assert (found.passed, found.total, found.mismatch, found.reason) == (passed, total, mismatch, None)
    assert found.reward == passed / total


@pytest.mark.parametrize("name", REASONS)
def test_report_gives_a_reason_instead_of_a_reward(name: str, tmp_path: Path) -> None:
    text, reason = REASONS[name]
    found = write_and_read(tmp_path, text)
    assert (found.reward, found.reason) == (None, reason)
    assert found.detail


def test_trial_without_a_report_is_not_verified(tmp_path: Path) -> None:
    assert read_report(tmp_path).reason == "not_verified"


def test_directory_instead_of_the_report_is_invalid(tmp_path: Path) -> None:
    (tmp_path / REPORT).mkdir(parents=True)
    assert read_report(tmp_path).reason == "ctrf_invalid"


@pytest.mark.parametrize("target", ["gone.json", "ctrf.json", "ctrf.json/below"])
def test_dead_link_instead_of_the_report_is_invalid(target: str, tmp_path: Path) -> None:
    (tmp_path / "verifier").mkdir()
    (tmp_path / REPORT).symlink_to(target)
    assert read_report(tmp_path).reason == "ctrf_invalid"


@pytest.mark.parametrize("target", ["gone", "verifier", "run_info.json"])
def test_dead_link_or_file_instead_of_the_directory_is_no_report(target: str, tmp_path: Path) -> None:
    (tmp_path / "run_info.json").write_text("{}")
    (tmp_path / "verifier").symlink_to(target)
    assert read_report(tmp_path).reason == "not_verified"


def test_statuses_are_counted_if_tests_are_listed(tmp_path: Path) -> None:
    assert write_and_read(tmp_path, report(MIXED)).statuses == dict.fromkeys(
        ("passed", "failed", "skipped", "pending", "other"), 1
    )
    assert write_and_read(tmp_path, report(None, summary(3, 2))).statuses is None


COUNTS = st.one_of(st.integers(-2, 6), st.sampled_from(["1", 1.0, True, None, 2**63 - 1, 2**63]))
SUMMARIES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.just([]), st.fixed_dictionaries({}, optional={"tests": COUNTS, "passed": COUNTS})
)
STATUSES = st.one_of(
    st.sampled_from(["passed", "passed", "failed", "skipped", "Passed"]), st.none(), st.just(1)
)
ENTRIES: st.SearchStrategy[Any] = st.one_of(
    STATUSES.map(lambda s: {"status": s}), st.just({}), st.just("passed")
)
LISTS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.just({}),
    st.lists(st.sampled_from(entries("passed", "failed"))),
    st.lists(ENTRIES, max_size=3),
)


@given(
    results=st.fixed_dictionaries({}, optional={"tests": LISTS, "summary": SUMMARIES})
    | st.sampled_from([None, []])
)
def test_any_report_agrees_with_a_plain_reading_of_the_rule(results: Any) -> None:
    found = parse_report({"results": results})
    assert (found.reward, found.reason, found.mismatch) == expected({"results": results})


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_public_report_agrees_with_a_plain_reading_of_the_rule(path: Path) -> None:
    found = parse_report(json.loads(path.read_bytes()))
    assert (found.reward, found.reason, found.mismatch) == expected(json.loads(path.read_bytes()))


def expected(document: dict[str, Any]) -> tuple[float | None, str | None, bool]:
    """Return (reward, reason, is flagged), following the text of R3."""
    results = document["results"] if isinstance(document["results"], dict) else None
    if results is None:
        return None, "ctrf_invalid", False
    listed, summed = results.get("tests"), results.get("summary")
    counts: tuple[Any, Any] = (None, None)
    if isinstance(summed, dict):
        counts = summed.get("tests"), summed.get("passed")
    good = all(type(count) is int and 0 <= count < 2**63 for count in counts) and counts[1] <= counts[0]
    if isinstance(listed, list) and listed and all(isinstance(e, dict) for e in listed):
        statuses = [entry.get("status") for entry in listed]
        if all(isinstance(status, str) for status in statuses):
            passed = sum(status == "passed" for status in statuses)
            return passed / len(listed), None, not good or counts != (len(listed), passed)
    if good and counts[0]:
        return counts[1] / counts[0], None, False
    if good or (listed == [] and summed is None):
        return None, "no_tests", False
    return None, "ctrf_invalid", False
