"""Fingerprint of a task: a short hash of everything that its rows depend on.

It only decides *whether* a task is rebuilt. File times are part of it, but never of a row (rule R12,
docs/rules.md).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from stat import S_IROTH

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.confined import is_outside, read_within
from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.log_files import log_files
from seta_dag.store.layout import FORMAT_VERSION


def task_fingerprint(root: Path, trials: Iterable[Trial], student: str) -> str:
    """Return 16 hex digits over the files of a task, the format version and the student.

    Of logs and `run_info.json` count name, size and modification time, and also mode and owner if not
    everybody may read them. Of the report, which is small, counts the content. So the one change that
    goes unnoticed is a log that was rewritten with the same size and time.

    Args:
        root: the rollouts root.
        trials: all trials of the task, in any order and including superseded ones.
        student: identifies everything about the student that the rows depend on.
    """
    digest = hashlib.sha256(f"format {FORMAT_VERSION} student {student}".encode())
    for path in sorted(trial.path for trial in trials):
        # Sorted, since directories are listed in no order; relative, so that the root can be moved.
        lines = "\n".join(("", path, *sorted(_trial_lines(f"{root}/{path}"))))
        # File names need not be UTF-8. os.scandir gives their odd bytes as surrogates.
        digest.update(lines.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _trial_lines(trial: str) -> list[str]:
    """Return one line per file of a trial directory that its row depends on."""
    logs, unlisted, outside = log_files(trial)
    prefix = len(trial)
    lines = [_file_line(log.path[prefix:], log.stat) for log in logs]
    lines += [f"{folder[prefix:]} cannot be listed" for folder in unlisted]
    lines += [f"{link[prefix:]} leads out" for link in outside]
    if is_outside(trial, "run_info.json"):
        lines.append("/run_info.json leads out")
    else:
        lines.append(_file_line("/run_info.json", lambda: os.stat(f"{trial}/run_info.json")))  # noqa: PTH116
    try:
        return [*lines, hashlib.sha256(read_within(trial, REPORT)).hexdigest()]
    except json_reader.UnreadableError as error:
        # The wording of these errors is part of the fingerprint: changing it rebuilds the task.
        return [*lines, str(error)]


def _file_line(name: str, stat: Callable[[], os.stat_result]) -> str:
    try:
        info = stat()
    except OSError as error:
        return f"{name} {error.strerror}"
    line = f"{name} {info.st_size} {info.st_mtime_ns}"
    # A chmod or chown changes neither size nor time, but may decide whether this process can read the file.
    return line if info.st_mode & S_IROTH else f"{line} {info.st_mode} {info.st_uid} {info.st_gid}"


def last_written(root: Path, trials: Iterable[Trial]) -> float:
    """Return the latest modification time in the trial directories.

    In seconds since the epoch; 0.0 if there are no trials or all of them are gone.
    """
    folders = (folder for trial in trials for folder in os.walk(root / trial.path))
    # "." is the directory itself: its own time shows that an entry was added, removed or renamed.
    paths = (f"{folder}/{name}" for folder, _, files in folders for name in (".", *files))
    return max(map(_mtime, paths), default=0.0)


def _mtime(path: str) -> float:
    try:
        return os.lstat(path).st_mtime  # lstat, so that a dead link has a time, too
    except OSError:
        return 0.0  # deleted meanwhile, which gave its directory a new time
