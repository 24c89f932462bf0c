"""The stage `trials`: what each trial directory contains besides its conversation and report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seta_dag.executor.stage import Progress, StageReport, TaskResult, no_progress, run_stage
from seta_dag.rollouts import json_reader
from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.sources.log_files import log_files
from seta_dag.store.layout import OutputLayout


def collect_tasks(
    out: OutputLayout, root: Path, merged: Merged, tasks: Iterable[str], tick: Progress = no_progress
) -> StageReport:
    """Record every trial of `tasks`, including superseded ones.

    The report counts trials, logs, and trials by how the agent ended.
    """
    trials_of = merged.of_task()

    def build(task: str) -> TaskResult:
        records = [_record(root, trial, trial.path in merged.canonical) for trial in trials_of[task]]
        counts = Counter(f"ended: {record['termination_reason'] or 'unknown'}" for record in records)
        counts.update(trials=len(records), logs=sum(record["logs"] for record in records))
        return TaskResult(records, counts)

    return run_stage(out, "trials", merged.fingerprints, tasks, build, tick=tick)


def _record(root: Path, trial: Trial, is_canonical: bool) -> dict[str, Any]:
    folder = root / trial.path
    info = _run_info(folder)
    summary = _object(info.get("agent_summary"))
    error = _object(info.get("error_info"))
    return {
        "path": trial.path,
        "trial_uid": trial.uid,
        "run": trial.run,
        "canonical": is_canonical,
        "logs": len(log_files(str(folder))[0]),
        "report": os.path.isfile(folder / REPORT),  # noqa: PTH113 - Path.is_file raises without permission
        "termination_reason": _text(summary.get("termination_reason")),
        "error_stage": _text(error.get("stage")),
    }


def _run_info(folder: Path) -> dict[str, Any]:
    """Return the contents of `run_info.json`, empty if it is missing or damaged."""
    try:
        return _object(json_reader.read(folder / "run_info.json"))
    except json_reader.UnreadableError:
        return {}  # only shown in Dagster; no row depends on it


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return json_reader.clean(value) if isinstance(value, str) else None
