"""Write small trials to disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seta_dag.rollouts.ctrf import REPORT
from seta_dag_tests.support.conversations import assistant, log, logged, user, write_log

USABLE_LOG = logged(log(user("List."), answer=assistant("Done.", "Good.")))
"""Bytes of a log with one user turn and a final turn."""


def report(passed: int, total: int) -> str:
    """Return a CTRF report whose reward is `passed / total`."""
    return json.dumps({"results": {"summary": {"passed": passed, "tests": total}}})


def write_trial(root: Path, path: str, verified: bool = True, info: Any = None) -> Path:
    """Create the trial directory `root / path` with one log; return it.

    Args:
        root: the rollouts root.
        path: path of the directory below `root`.
        verified: whether to write a report.
        info: contents of `run_info.json`, as text or as a value to write as JSON; None for no such file.
    """
    trial = root / path
    write_log(trial, USABLE_LOG)
    if verified:
        (trial / REPORT).parent.mkdir(exist_ok=True)
        (trial / REPORT).write_text(report(1, 2))
    if info is not None:
        (trial / "run_info.json").write_text(info if isinstance(info, str) else json.dumps(info))
    return trial
