"""The stage `trials`: what each trial directory contains besides its conversation and report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seta_dag.executor.piece import Built, Piece, Result, each
from seta_dag.executor.pieces import cut
from seta_dag.executor.stage import Progress, Stage, StageReport, no_progress
from seta_dag.executor.stage_table import StageTable
from seta_dag.executor.workers import Workers
from seta_dag.rollouts import json_reader
from seta_dag.rollouts.confined import is_outside, read_within
from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.sources.log_files import log_files
from seta_dag.store.layout import OutputLayout

RUN_INFO = "run_info.json"
"""Path of the run's own record in a trial directory."""


@dataclass(frozen=True, slots=True)
class CollectedTrial:
    """What a trial directory contains.

    Attributes:
        path: of the directory, relative to the rollouts root.
        canonical: whether it is canonical (rule R2).
        logs: number of logs.
        report: whether there is a test report.
        termination_reason: how the agent ended, from `run_info.json`.
        error_stage: where the rollout failed, from `run_info.json`.
    """

    path: str
    canonical: bool
    logs: int
    report: bool
    termination_reason: str | None
    error_stage: str | None


COLLECTED = StageTable("trials", CollectedTrial)


def collect_tasks(
    out: OutputLayout,
    root: Path,
    merged: Merged,
    tasks: Iterable[str],
    tick: Progress = no_progress,
    workers: Workers | None = None,
) -> StageReport:
    """Record every trial of `tasks`, including superseded ones; `workers` are by default this process.

    The report counts trials, logs, and trials by how the agent ended.
    """
    trials_of = merged.of_task()

    def task_input(task: str) -> list[tuple[Trial, bool]]:
        return [(trial, trial.path in merged.canonical) for trial in trials_of[task]]

    pieces = [Piece({task: task_input(task) for task in some}, root) for some in cut(tasks)]
    return Stage(out, COLLECTED, merged.fingerprints).run(collect_piece, pieces, tick=tick, workers=workers)


def collect_piece(piece: Piece) -> Mapping[str, Result]:
    """Record the trials of some tasks; each comes with whether it is canonical."""
    return each("trials", _collect_task, piece)


def _collect_task(root: Path, task: str, trials: list[tuple[Trial, bool]]) -> Built:
    records = tuple(_record(root, trial, is_canonical) for trial, is_canonical in trials)
    counts = Counter(f"ended: {record.termination_reason or 'unknown'}" for record in records)
    counts.update(trials=len(records), logs=sum(record.logs for record in records))
    return Built(records, counts)


def _record(root: Path, trial: Trial, is_canonical: bool) -> CollectedTrial:
    folder = root / trial.path
    info = _run_info(folder)
    summary = _object(info.get("agent_summary"))
    error = _object(info.get("error_info"))
    return CollectedTrial(
        path=trial.path,
        canonical=is_canonical,
        logs=len(log_files(str(folder)).logs),
        report=os.path.isfile(folder / REPORT) and not is_outside(str(folder), REPORT),  # noqa: PTH113
        termination_reason=_text(summary.get("termination_reason")),
        error_stage=_text(error.get("stage")),
    )


def _run_info(folder: Path) -> dict[str, Any]:
    """Return the contents of `run_info.json`, empty if it is missing or damaged."""
    try:
        return _object(json_reader.parse(read_within(str(folder), RUN_INFO)))
    except json_reader.UnreadableError:
        return {}  # no row depends on it


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return json_reader.clean(value) if isinstance(value, str) else None
