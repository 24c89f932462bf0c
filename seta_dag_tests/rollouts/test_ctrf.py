"""R3: the reward, from a report's list of tests or else its summary, or the reason why there is none."""

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
    """A report with these parts; one that is None is left out."""
    parts = {"tests": tests, "summary": summary}
    return json.dumps({"results": {k: v for k, v in parts.items() if v is not None} | more})


def ended(*statuses: Any) -> list[dict[str, Any]]:
    """A list of tests that ended so, all of one name."""
    return [{"name": "test_outputs.py::test_a", "status": status} for status in statuses]


def summary(tests: Any, passed: Any) -> dict[str, Any]:
    """A summary with the counts of the two that matter."""
    return {"tests": tests, "passed": passed, "failed": 0, "skipped": 0, "start": 1.5, "stop": 2}


MIXED = ended("passed", "failed", "skipped", "pending", "other")
REWARDS: dict[str, tuple[str, int, int, bool]] = {
    "list and summary agree": (report(ended("passed", "failed"), summary(2, 1)), 1, 2, False),
    "every status": (report(MIXED, summary(5, 1)), 1, 5, False),
    "a status that is not known": (
        report(ended("passed", "Passed", "PASSED", ""), summary(4, 1)),
        1,
        4,
        False,
    ),
    "a reward of 0": (report(ended("failed"), summary(1, 0)), 0, 1, False),
    "445 tests": (report(ended(*["passed"] * 445), summary(445, 445)), 445, 445, False),
    "the summary counts other tests": (report(ended("passed"), summary(2, 1)), 1, 1, True),
    "the summary counts other passed ones": (report(ended("passed"), summary(1, 0)), 1, 1, True),
    "the summary has strings": (report(ended("passed"), summary("1", "1")), 1, 1, True),
    "the summary has more passed than tests": (report(ended("passed"), summary(1, 2)), 1, 1, True),
    "no summary": (report(ended("passed", "failed")), 1, 2, True),
    "a summary that is a list": (report(ended("passed"), []), 1, 1, True),
    "no list": (report(None, summary(3, 2)), 2, 3, False),
    "an empty list": (report([], summary(3, 2)), 2, 3, False),
    "a list of strings": (report(["passed"], summary(3, 2)), 2, 3, False),
    "a test without a status": (report([*ended("passed"), {"name": "x"}], summary(3, 2)), 2, 3, False),
    "a status that is null": (report(ended("passed", None), summary(3, 2)), 2, 3, False),
    "a status that is a number": (report(ended("passed", 1), summary(3, 2)), 2, 3, False),
    "tests that are an object": (report({"status": "passed"}, summary(3, 2)), 2, 3, False),
    "older plug-in: raw_status, float seconds": (
        report([{"name": "a", "status": "passed", "raw_status": "x", "duration": 0.001}], summary(1, 1)),
        1,
        1,
        False,
    ),
    "newer plug-in: wrapper keys": (
        json.dumps({"reportFormat": "CTRF", **json.loads(report(ended("passed"), summary(1, 1)))}),
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
    "NaN beside the counts": (report(ended("passed"), {**summary(1, 1), "stop": float("nan")}), 1, 1, False),
    "a byte order mark": ("\ufeff" + report(ended("passed"), summary(1, 1)), 1, 1, False),
    "a lone surrogate": (report([{"name": "\ud800", "status": "passed"}], summary(1, 1)), 1, 1, False),
}
REASONS: dict[str, tuple[str, str]] = {
    "an empty list and no summary": (report([]), "no_tests"),
    "0 tests": (report([], summary(0, 0)), "no_tests"),
    "0 tests and no list": (report(None, summary(0, 0)), "no_tests"),
    "0 tests and a bad list": (report([1], summary(0, 0)), "no_tests"),
    "an empty list and a bad summary": (report([], summary("0", 0)), "ctrf_invalid"),
    "neither list nor summary": (report(), "ctrf_invalid"),
    "a bad list and no summary": (report([{"name": "x"}]), "ctrf_invalid"),
    "counts as strings": (report(None, summary("3", "2")), "ctrf_invalid"),
    "counts as floats": (report(None, summary(3.0, 2.0)), "ctrf_invalid"),
    "passed as a boolean": (report(None, summary(1, True)), "ctrf_invalid"),
    "tests as a boolean": (report(None, summary(True, 1)), "ctrf_invalid"),
    "negative counts": (report(None, summary(3, -1)), "ctrf_invalid"),
    "more passed than tests": (report(None, summary(3, 4)), "ctrf_invalid"),
    "no counts": (report(None, {"start": 1}), "ctrf_invalid"),
    "NaN for a count": (report(None, summary(float("nan"), 1)), "ctrf_invalid"),
    "no results": ("{}", "ctrf_invalid"),
    "results that are a list": ('{"results": []}', "ctrf_invalid"),
    "a list": ("[]", "ctrf_invalid"),
    "a string": ('"passed"', "ctrf_invalid"),
    "null": ("null", "ctrf_invalid"),
    "an empty file": ("", "ctrf_invalid"),
    "more tests than 64 bits hold": (report(None, summary(2**63, 1)), "ctrf_invalid"),
    "as many passed": (report([], summary(2**64, 2**64)), "ctrf_invalid"),
    "a cut file": (report(MIXED, summary(5, 1))[:100], "ctrf_invalid"),
    "100,000 brackets": ("[" * 100_000, "ctrf_invalid"),
}


def read(trial: Path, text: str) -> Report:
    """The report `text` of a trial, read from disk."""
    path = trial / REPORT
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return read_report(trial)


@pytest.mark.parametrize("name", REWARDS)
def test_a_report_gives_a_reward(name: str, tmp_path: Path) -> None:
    text, passed, total, mismatch = REWARDS[name]
    found = read(tmp_path, text)
    assert (found.passed, found.total, found.mismatch, found.reason) == (passed, total, mismatch, None)
    assert found.reward == passed / total


@pytest.mark.parametrize("name", REASONS)
def test_a_report_gives_no_reward_and_says_why(name: str, tmp_path: Path) -> None:
    text, reason = REASONS[name]
    found = read(tmp_path, text)
    assert (found.reward, found.reason) == (None, reason)
    assert found.detail


def test_no_report_is_not_verified(tmp_path: Path) -> None:
    assert read_report(tmp_path).reason == "not_verified"


def test_what_is_no_file_is_invalid(tmp_path: Path) -> None:
    (tmp_path / REPORT).mkdir(parents=True)
    assert read_report(tmp_path).reason == "ctrf_invalid"


@pytest.mark.parametrize("target", ["gone.json", "ctrf.json", "ctrf.json/below"])
def test_a_link_that_leads_nowhere_is_invalid(target: str, tmp_path: Path) -> None:
    (tmp_path / "verifier").mkdir()
    (tmp_path / REPORT).symlink_to(target)
    assert read_report(tmp_path).reason == "ctrf_invalid"


@pytest.mark.parametrize("target", ["gone", "verifier", "../run_info.json"])
def test_no_folder_for_the_report_is_no_report(target: str, tmp_path: Path) -> None:
    (tmp_path / "run_info.json").write_text("{}")
    (tmp_path / "verifier").symlink_to(target)
    assert read_report(tmp_path).reason == "not_verified"


def test_statuses_are_counted_where_they_are_listed(tmp_path: Path) -> None:
    assert read(tmp_path, report(MIXED)).statuses == dict.fromkeys(
        ("passed", "failed", "skipped", "pending", "other"), 1
    )
    assert read(tmp_path, report(None, summary(3, 2))).statuses is None


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
    st.lists(st.sampled_from(ended("passed", "failed"))),
    st.lists(ENTRIES, max_size=3),
)


@given(
    results=st.fixed_dictionaries({}, optional={"tests": LISTS, "summary": SUMMARIES})
    | st.sampled_from([None, []])
)
def test_any_report_is_judged_as_computed_plainly(results: Any) -> None:
    found = parse_report({"results": results})
    assert (found.reward, found.reason, found.mismatch) == plain({"results": results})


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_a_public_report_is_judged_as_computed_plainly(path: Path) -> None:
    found = parse_report(json.loads(path.read_bytes()))
    assert (found.reward, found.reason, found.mismatch) == plain(json.loads(path.read_bytes()))


def plain(document: dict[str, Any]) -> tuple[float | None, str | None, bool]:
    """R3 word for word: (reward, reason, whether the row is flagged)."""
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
