"""R1: rollouts that failed before they made a trial directory: `failed/<task>.txt`."""

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
"""What Python draws around the tracebacks of an exception group."""


@dataclass(frozen=True, slots=True)
class FailedRollout:
    """A task that has no trial in its chain, with the exception of its latest attempt."""

    chain: str
    run: str
    task_id: str
    detail: str


def failed_rollouts(root: Path, runs: Iterable[Run], trials: Iterable[Trial]) -> list[FailedRollout]:
    """One for each (chain, task) that has a traceback and no trial directory; image builds aside.

    Raises `ConfigError` where a `failed/` folder can't be listed.
    """
    tried = {(trial.chain, trial.task_id) for trial in trials}
    latest: dict[tuple[str, str], tuple[Run, Path]] = {}
    for run in sorted(runs, key=lambda run: run.order):
        for traceback in _tracebacks(root / run.path / "failed"):
            task = clean(traceback.stem)
            if (run.chain, task) not in tried:
                latest[run.chain, task] = run, traceback
    return [
        FailedRollout(chain, run.path, task, _detail(traceback))
        for (chain, task), (run, traceback) in sorted(latest.items())
    ]


def _tracebacks(folder: Path) -> list[Path]:
    """`<task>.txt` in a `failed/` folder, by name; image builds aside."""
    files = (entry for entry in list_folder(folder) if is_file(entry))
    names = [entry.name for entry in files if entry.name.endswith(".txt") and entry.name != ".txt"]
    return [folder / name for name in sorted(names) if not name.startswith("build_")]


def _detail(traceback: Path) -> str:
    try:
        return last_exception(json_reader.read_bytes(traceback).decode("utf-8", "replace"))
    except json_reader.UnreadableError as error:
        return f"failed/{clean(traceback.name)}: {error}"


def last_exception(text: str) -> str:
    """The line that names the exception of the last traceback in `text`.

    That is the first line after the frames; its message may go on for several lines.
    """
    _, traceback, rest = text.rpartition("Traceback (most recent call last):")
    lines = rest.splitlines()
    unindented = [line.strip() for line in lines if line.strip() and not line[0].isspace()]
    if traceback and unindented:
        return unindented[0]
    written = [line.strip(_FRAME) for line in lines if line.strip(_FRAME)]
    named = [line for line in written if _EXCEPTION.fullmatch(line)]
    return (named or written or [""])[-1]
