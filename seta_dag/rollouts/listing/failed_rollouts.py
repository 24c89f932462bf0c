"""Rollouts that failed before they created a trial directory (rule R1, docs/rules.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.folders import is_file, list_folder
from seta_dag.rollouts.listing.trials import Run, Trial

_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning|Group)\b.*")

_FRAME = " \t|+-"
"""Characters that Python draws around the tracebacks of an exception group."""


@dataclass(frozen=True, slots=True)
class FailedRollout:
    """A task without a trial directory in its resume chain.

    Attributes:
        chain: the resume chain.
        run: path of its latest run with a traceback of the task.
        task_id: the task.
        detail: the line of that traceback that names the exception.
    """

    chain: str
    run: str
    task_id: str
    detail: str


def failed_rollouts(root: Path, runs: Iterable[Run], trials: Iterable[Trial]) -> list[FailedRollout]:
    """Return one entry per (chain, task) with a traceback but no trial directory, sorted by both.

    Args:
        root: the rollouts root.
        runs: the runs whose `failed/` directories are read.
        trials: all trials of these runs.

    Raises:
        ConfigError: a `failed/` directory cannot be listed.
    """
    with_trial = {(trial.chain, trial.task_id) for trial in trials}
    latest: dict[tuple[str, str], tuple[Run, Path]] = {}
    for run in sorted(runs, key=lambda run: run.order):  # so that a later run replaces an earlier one
        for traceback in _tracebacks(root / run.path / "failed"):
            task = clean(traceback.stem)
            if (run.chain, task) not in with_trial:
                latest[run.chain, task] = run, traceback
    return [
        FailedRollout(chain, run.path, task, _detail(traceback))
        for (chain, task), (run, traceback) in sorted(latest.items())
    ]


def _tracebacks(folder: Path) -> list[Path]:
    """Return the files `<task>.txt` of a `failed/` directory, sorted, without those of image builds."""
    files = (entry for entry in list_folder(folder) if is_file(entry))
    names = [entry.name for entry in files if entry.name.endswith(".txt") and entry.name != ".txt"]
    return [folder / name for name in sorted(names) if not name.startswith("build_")]


def _detail(traceback: Path) -> str:
    try:
        return last_exception(json_reader.read_bytes(traceback).decode("utf-8", "replace"))
    except json_reader.UnreadableError as error:
        return f"failed/{clean(traceback.name)}: {error}"


def last_exception(text: str) -> str:
    """Return the line that names the exception of the last traceback in `text`, "" for an empty text.

    Without a traceback, it is the last line that looks like an exception, or else the last line.
    """
    _, traceback, rest = text.rpartition("Traceback (most recent call last):")
    lines = rest.splitlines()
    # Frames are indented, so the first line that is not names the exception. Its message may have
    # more lines, which may look like exceptions themselves.
    unindented = [line.strip() for line in lines if line.strip() and not line[0].isspace()]
    if traceback and unindented:
        return unindented[0]
    # In an exception group every line is indented.
    stripped = [line.strip(_FRAME) for line in lines if line.strip(_FRAME)]
    exceptions = [line for line in stripped if _EXCEPTION.fullmatch(line)]
    return (exceptions or stripped or [""])[-1]
