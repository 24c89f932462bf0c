"""Rollouts that failed before they created a trial directory (rule R1, docs/rules.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.confined import is_outside, read_within
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.folders import is_file, list_folder
from seta_dag.rollouts.listing.trials import Run, Trial

FAILED = "failed"
"""Name of the directory of tracebacks in a run."""
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
    latest: dict[tuple[str, str], tuple[Run, str]] = {}
    for run in sorted(runs, key=lambda run: run.order):  # so that a later run replaces an earlier one
        for name in _tracebacks(root / run.path):
            task = clean(name.removesuffix(".txt"))
            if (run.chain, task) not in with_trial:
                latest[run.chain, task] = run, name
    return [
        FailedRollout(chain, run.path, task, _detail(root / run.path, name))
        for (chain, task), (run, name) in sorted(latest.items())
    ]


def _tracebacks(run: Path) -> list[str]:
    """Return the names `<task>.txt` in `failed/` of a run, sorted, without those of image builds.

    A `failed/` that leads out of the run is not listed; `links_out` names it.
    """
    if is_outside(str(run), FAILED):
        return []
    files = (entry for entry in list_folder(run / FAILED) if is_file(entry))
    names = [entry.name for entry in files if entry.name.endswith(".txt") and entry.name != ".txt"]
    return [name for name in sorted(names) if not name.startswith("build_")]


def _detail(run: Path, name: str) -> str:
    try:
        return last_exception(read_within(str(run), f"{FAILED}/{name}", "run").decode("utf-8", "replace"))
    except json_reader.UnreadableError as error:
        return f"{FAILED}/{clean(name)}: {error}"


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
