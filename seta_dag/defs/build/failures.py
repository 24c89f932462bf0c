"""What went wrong in a run: a sentence for each check and each step that failed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import dagster as dg

_CHECKED = dg.DagsterEventType.ASSET_CHECK_EVALUATION
_CLASS = re.compile(r"^(?:seta_dag|dagster)[\w.]*: ")


def failures_in(events: Sequence[dg.DagsterEvent]) -> tuple[str, ...]:
    """Return the sentences: checks first, then steps, or what Dagster says if it is neither."""
    evaluated = [event.event_specific_data for event in events if event.event_type == _CHECKED]
    checks = [one for one in evaluated if isinstance(one, dg.AssetCheckEvaluation) and not one.passed]
    # Warnings are shown in the UI only; they do not fail a build.
    errors = [check for check in checks if check.severity == dg.AssetCheckSeverity.ERROR]
    steps = [event for event in events if event.is_step_failure and not _is_check(event)]
    sentences = (*map(_check_sentence, errors), *map(step_sentence, steps))
    return sentences or tuple(step_sentence(event) for event in events if event.is_failure)


def _is_check(event: dg.DagsterEvent) -> bool:
    """Return whether the step failed only because its checks did, which say more themselves."""
    error: Any = getattr(event.event_specific_data, "error", None)
    blocked = error is not None and error.cls_name == "DagsterAssetCheckFailedError"
    return blocked or event.step_key == "every_task_is_built"


def step_sentence(event: dg.DagsterEvent) -> str:
    """Return the message of our own error, or of the first cause of another, without its class name."""
    error: Any = getattr(event.event_specific_data, "error", None)
    # Dagster wraps what a step raised: unwrap to an error of ours, which is a sentence, or the first cause.
    # What a worker process raised has its traceback there as a cause, which says nothing more.
    while error is not None and error.cause is not None and not error.message.startswith("seta_dag."):
        if error.cause.cls_name == "_RemoteTraceback":
            break
        error = error.cause
    message = error.message.strip() if error is not None else event.message
    return f"{event.step_key or event.job_name}: {_CLASS.sub('', message or '')}"


def _check_sentence(check: dg.AssetCheckEvaluation) -> str:
    return f"{check.asset_key.to_user_string()}: check {check.check_name} failed: {check.description}"
