"""Rollouts on disk: runs and trials, each as small as a test needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seta_dag.rollouts.ctrf import REPORT
from seta_dag_tests.support.conversations import assistant, log, logged, user, write_log

WHOLE = logged(log(user("List."), answer=assistant("Done.", "Good.")))


def report(passed: int, total: int) -> str:
    """A report that gives passed / total."""
    return json.dumps({"results": {"summary": {"passed": passed, "tests": total}}})


def write_trial(root: Path, path: str, verified: bool = True, info: Any = None) -> Path:
    """A trial directory with one log, and with a report and a run_info or without."""
    trial = root / path
    write_log(trial, WHOLE)
    if verified:
        (trial / REPORT).parent.mkdir(exist_ok=True)
        (trial / REPORT).write_text(report(1, 2))
    if info is not None:
        (trial / "run_info.json").write_text(info if isinstance(info, str) else json.dumps(info))
    return trial
