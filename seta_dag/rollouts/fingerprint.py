"""What a task's rows depend on, as one short hash: equal fingerprint, nothing to rebuild.

It decides only *whether* a task is built again. Nothing of it, so no file time, reaches a row.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from stat import S_IROTH

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.log_files import log_files
from seta_dag.store.layout import FORMAT_VERSION


def task_fingerprint(root: Path, trials: Iterable[Trial], student: str) -> str:
    """16 hex digits over the files of a task's trials in all runs, the rules' version and the student.

    Logs and run_info count by name, size and time, and by mode and owner where not all may read them;
    the report, which is small, by content. A log rewritten with the same size and time is the one
    change that it misses.
    """
    digest = hashlib.sha256(f"format {FORMAT_VERSION} student {student}".encode())
    for path in sorted(trial.path for trial in trials):
        lines = "\n".join(("", path, *sorted(_lines(f"{root}/{path}"))))
        digest.update(lines.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _lines(trial: str) -> list[str]:
    """A line for each file of a trial directory that its row depends on."""
    logs, closed = log_files(trial)
    head = len(trial)
    lines = [_line(file.path[head:], file.stat) for file in logs]
    lines += [f"{folder[head:]} can't be listed" for folder in closed]
    lines.append(_line("/run_info.json", lambda: os.stat(f"{trial}/run_info.json")))  # noqa: PTH116
    try:
        return [*lines, hashlib.sha256(json_reader.read_bytes(f"{trial}/{REPORT}")).hexdigest()]
    except json_reader.UnreadableError as error:
        return [*lines, str(error)]


def _line(name: str, stat: Callable[[], os.stat_result]) -> str:
    try:
        seen = stat()
    except OSError as error:
        return f"{name} {error.strerror}"
    line = f"{name} {seen.st_size} {seen.st_mtime_ns}"
    return line if seen.st_mode & S_IROTH else f"{line} {seen.st_mode} {seen.st_uid} {seen.st_gid}"


def last_written(root: Path, trials: Iterable[Trial]) -> float:
    """When a file or folder of the trials was last written, in seconds since the epoch; 0 without any."""
    folders = (folder for trial in trials for folder in os.walk(root / trial.path))
    paths = (f"{folder}/{name}" for folder, _, files in folders for name in (".", *files))
    return max(map(_written, paths), default=0.0)


def _written(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:  # gone meanwhile: its folder tells
        return 0.0
