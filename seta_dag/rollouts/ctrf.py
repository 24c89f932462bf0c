"""R3: the reward, read from the verifier's CTRF report."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seta_dag.rollouts import json_reader

REPORT = "verifier/ctrf.json"


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says: `passed` of `total` tests, or the reason why it gives no reward.

    `reason` is None, `not_verified`, `ctrf_invalid` or `no_tests`; `statuses` counts the tests by
    status where the report lists them; `mismatch` is set where list and summary disagree.
    """

    passed: int | None = None
    total: int | None = None
    reason: str | None = None
    detail: str | None = None
    mismatch: bool = False
    statuses: dict[str, int] | None = None

    @property
    def reward(self) -> float | None:
        """passed / total, exactly; None where there is no reward."""
        return None if self.passed is None or not self.total else self.passed / self.total


def read_report(trial: Path) -> Report:
    """The report of the trial directory `trial`; never raises for what lies there."""
    path = trial / REPORT
    try:
        return parse_report(json_reader.read(path))
    except json_reader.MissingError:
        gone = not os.path.isdir(trial)  # noqa: PTH112 - it went after the runs were merged
        return Report(reason="not_verified", detail="the trial is gone" if gone else f"no {REPORT}")
    except json_reader.UnreadableError as error:
        return Report(reason="ctrf_invalid", detail=f"{REPORT}: {error}")


def parse_report(document: Any) -> Report:
    """The report in a parsed document: its list of tests decides, else its summary (R3)."""
    results = document.get("results") if isinstance(document, dict) else None
    if not isinstance(results, dict):
        return Report(reason="ctrf_invalid", detail="no results object")
    tests, summary = results.get("tests"), _counts(results.get("summary"))
    statuses = _statuses(tests)
    if statuses:
        passed, total = statuses["passed"], statuses.total()
        return Report(passed, total, mismatch=summary != (passed, total), statuses=dict(statuses))
    if summary is None:
        if tests == [] and results.get("summary") is None:
            return Report(reason="no_tests", detail="an empty list of tests")
        return Report(reason="ctrf_invalid", detail="neither a list of tests nor a summary that can be used")
    if summary[1] == 0:
        return Report(reason="no_tests", detail="the summary counts 0 tests")
    return Report(*summary)


def _statuses(tests: Any) -> Counter[str] | None:
    if not isinstance(tests, list):
        return None
    found = [test.get("status") if isinstance(test, dict) else None for test in tests]
    known = [json_reader.clean(status) for status in found if isinstance(status, str)]
    return Counter(known) if len(known) == len(found) else None


def _counts(summary: Any) -> tuple[int, int] | None:
    """(passed, tests) of a summary, None unless both are whole numbers with 0 <= passed <= tests < 2**63."""
    if not isinstance(summary, dict):
        return None
    passed, tests = summary.get("passed"), summary.get("tests")
    if type(passed) is not int or type(tests) is not int or not 0 <= passed <= tests < 2**63:
        return None
    return passed, tests
