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
from seta_dag.rollouts.snapshot import LOGS
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


def last_written(root: Path, trials: Iterable[Trial]) -> float:
    """When a file or folder of the trials was last written, in seconds since the epoch; 0 without any."""
    paths = (path for trial in trials for path in (root / trial.path).rglob("*"))
    return max((path.lstat().st_mtime for path in paths), default=0.0)


def _files(trial: Path) -> Iterator[str]:
    files = [*_below(str(trial / LOGS)), str(trial / REPORT), str(trial / "run_info.json")]
    for path in files:
        yield from _stat_line(path, path[len(str(trial)) :])
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
        if entry.is_dir(follow_symlinks=False):  # as far as logs are looked for
            yield from _below(entry.path)
        else:
            yield entry.path


def _stat_line(path: str, name: str) -> Iterator[str]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - 40,000 of them
    except OSError:
        return
    yield f"{name} {stat.st_size} {stat.st_mtime_ns}"
