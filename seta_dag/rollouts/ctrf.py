"""The reward, read from the verifier's CTRF report (rule R3, docs/rules.md)."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.confined import read_within
from seta_dag.rollouts.reasons import Reason

REPORT = "verifier/ctrf.json"
"""Path of the report in a trial directory."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says: test counts, or the reason why there is no reward.

    Attributes:
        passed: number of passed tests, None without a reward.
        total: number of all tests, None without a reward.
        reason: `not_verified`, `ctrf_invalid` or `no_tests`; None if there is a reward.
        detail: the reason in words, None if there is a reward.
        mismatch: the list of tests was used, and the summary is missing or disagrees with it.
        statuses: number of tests by status, None if the report has no usable list of tests.
    """

    passed: int | None = None
    total: int | None = None
    reason: str | None = None
    detail: str | None = None
    mismatch: bool = False
    statuses: dict[str, int] | None = None

    @property
    def reward(self) -> float | None:
        """`passed / total`, not rounded; None if there is no reward."""
        return None if self.passed is None or not self.total else self.passed / self.total


def read_report(trial: Path) -> Report:
    """Read the report of the trial directory `trial`.

    Never raises: a report that is missing or cannot be read gives a `Report` with a reason.
    """
    try:
        return parse_report(json_reader.parse(read_within(str(trial), REPORT)))
    except json_reader.MissingError:
        # The trial may have been deleted since the runs were merged. os.path.isdir, because Path.is_dir
        # raises if a directory above cannot be entered.
        gone = not os.path.isdir(trial)  # noqa: PTH112
        return Report(reason=Reason.NOT_VERIFIED, detail="the trial is gone" if gone else f"no {REPORT}")
    except json_reader.UnreadableError as error:
        return Report(reason=Reason.CTRF_INVALID, detail=f"{REPORT}: {error}")


def parse_report(document: Any) -> Report:
    """Return what a parsed report says; its list of tests has priority over its summary."""
    results = document.get("results") if isinstance(document, dict) else None
    if not isinstance(results, dict):
        return Report(reason=Reason.CTRF_INVALID, detail="no results object")
    tests, summary = results.get("tests"), _counts(results.get("summary"))
    statuses = _statuses(tests)
    if statuses:
        passed, total = statuses["passed"], statuses.total()
        return Report(passed, total, mismatch=summary != (passed, total), statuses=dict(statuses))
    if summary is None:
        # An empty list alone is a report without tests; next to an unusable summary it proves nothing.
        if tests == [] and results.get("summary") is None:
            return Report(reason=Reason.NO_TESTS, detail="an empty list of tests")
        return Report(
            reason=Reason.CTRF_INVALID, detail="neither a usable list of tests nor a usable summary"
        )
    if summary[1] == 0:
        return Report(reason=Reason.NO_TESTS, detail="the summary counts 0 tests")
    return Report(*summary)


def _statuses(tests: Any) -> Counter[str] | None:
    """Count the tests by status; None if one of them has no status, since the total would be wrong."""
    if not isinstance(tests, list):
        return None
    logged = [test.get("status") if isinstance(test, dict) else None for test in tests]
    usable = [json_reader.clean(status) for status in logged if isinstance(status, str)]
    return Counter(usable) if len(usable) == len(logged) else None


def _counts(summary: Any) -> tuple[int, int] | None:
    """Return (passed, tests) of a summary; None unless 0 <= passed <= tests < 2**63."""
    if not isinstance(summary, dict):
        return None
    passed, tests = summary.get("passed"), summary.get("tests")
    # `type` instead of isinstance: a bool is an int, too. The ledger has room for 64 bits.
    if type(passed) is not int or type(tests) is not int or not 0 <= passed <= tests < 2**63:
        return None
    return passed, tests
