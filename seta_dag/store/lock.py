"""One build at a time writes to an output directory; a second one waits."""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from seta_dag.errors import ConfigError

_held: Counter[Path] = Counter()  # by this process, which may enter the same lock again


def is_locked(out: Path) -> bool:
    """Whether another process writes to `out` right now. Raises `ConfigError` where nobody can."""
    if not out.is_dir() or _held[out.resolve()]:
        return False
    with _open(out) as file:
        return not _try_lock(file.fileno())


@contextmanager
def locked(out: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Holds the lock of `out`; calls `waiting` once before it waits for another process.

    The kernel gives the lock back when a process dies, however it dies. Raises `ConfigError` where
    `out` can't be written to.
    """
    with _open(out) as file:
        key = out.resolve()
        if not _held[key] and not _try_lock(file.fileno()):
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        _held[key] += 1
        try:
            if _held[key] == 1:
                _clear_unfinished(out)
            yield
        finally:
            _held[key] -= 1


def _open(out: Path) -> FileIO:
    """The file that the lock hangs on, in an output directory that is made where there is none."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        return (out / ".lock").open("ab", buffering=0)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or out}: can't be written ({error.strerror}); give another output directory"
        ) from error


def _clear_unfinished(out: Path) -> None:
    """Removes what a killed build had not finished; under the lock nobody else is writing it."""
    for left in out.rglob(".*.part"):
        if left.is_file():
            left.unlink(missing_ok=True)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
