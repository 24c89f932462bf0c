"""The lock of an output directory: one build at a time writes to it, a second one waits."""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from seta_dag.errors import ConfigError

# How often this process holds each lock: a run enters it again within a build. flock() would block instead.
_held: Counter[Path] = Counter()


def is_locked(out: Path) -> bool:
    """Return whether another process is writing to `out`. Raises `ConfigError` if nobody can."""
    if not out.is_dir() or _held[out.resolve()]:
        return False
    with _open(out) as file:
        return not _try_lock(file.fileno())


@contextmanager
def locked(out: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of `out`; `waiting` is called once before waiting for another process.

    The kernel releases the lock when a process dies, however it dies. Raises `ConfigError` if `out` cannot
    be written to.
    """
    with _open(out) as file:
        key = out.resolve()
        if not _held[key] and not _try_lock(file.fileno()):
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)  # blocks until the other process is done or dead
        _held[key] += 1
        try:
            if _held[key] == 1:  # further in, the partial files are this process's own
                _clear_unfinished(out)
            yield
        finally:
            _held[key] -= 1


def _open(out: Path) -> FileIO:
    """Open the file that is locked, and create the output directory if needed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        return (out / ".lock").open("ab", buffering=0)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or out}: cannot be written ({error.strerror}); give another output directory"
        ) from error


def _clear_unfinished(out: Path) -> None:
    """Remove what a killed build left half-written; while we hold the lock, nobody else is writing."""
    for left in out.rglob(".*.part"):
        if left.is_file():
            left.unlink(missing_ok=True)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def waiting(folder: Path) -> str:
    """Say that another build holds the lock of an output directory."""
    return f"another build is writing to {folder}; waiting for it to finish"
