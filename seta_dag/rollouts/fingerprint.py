"""What a task's rows depend on, as one short hash: equal fingerprint, nothing to rebuild.

It decides only *whether* a task is built again. Nothing of it, so no file time, reaches a row.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from seta_dag.rollouts import readable
from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.trial import Trial


def task_fingerprint(root: Path, trials: Iterable[Trial], settings: str) -> str:
    """16 hex digits over the files of a task's trials in all runs and over `settings`.

    Logs and run_info count by name, size and time; the report, which is small, by content too.
    A log rewritten with the same size and time is the one change that it misses.
    """
    digest = hashlib.sha256(settings.encode())
    for trial in sorted(trials, key=lambda trial: trial.path):
        digest.update(f"\n{trial.path}".encode())
        for line in sorted(_files(root / trial.path)):
            digest.update(f"\n{line}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _files(trial: Path) -> Iterator[str]:
    yield from _below(str(trial / "CAMEL_LOG_DIR"))
    for name in (REPORT, "run_info.json"):
        yield from _stat_line(str(trial / name))
    try:
        yield hashlib.sha256(readable.read_bytes(trial / REPORT)).hexdigest()
    except readable.UnreadableError as error:
        yield str(error)


def _below(folder: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir():
            yield from _below(entry.path)
        else:
            yield from _stat_line(entry.path)


def _stat_line(path: str) -> Iterator[str]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - 40,000 of them
    except OSError:
        return
    yield f"{path.rpartition('/')[2]} {stat.st_size} {stat.st_mtime_ns}"
