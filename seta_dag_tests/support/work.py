"""Work for the tests of the workers: functions that can be sent to another process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

loaded_by: list[int] = []
"""The processes in which `warm_up` has run, as far as this one has inherited it."""


class Kill(NamedTuple):
    """Work that kills its own process with -9, `times` times in all; a line in `record` for each."""

    record: Path
    times: int


def square(item: int | Kill) -> int:
    """Return the square of a number."""
    if isinstance(item, int):
        return item * item
    item.record.touch()
    if len(item.record.read_bytes()) < item.times:
        with item.record.open("ab") as file:
            file.write(b".")
        os.kill(os.getpid(), signal.SIGKILL)
    return 0


def reciprocal(item: int) -> float:
    """Return 1 / item, which raises an error for 0."""
    return 1 / item


def leave_mark(path: Path) -> int:
    """Leave an empty file and return the process that did."""
    path.touch()
    time.sleep(0.01)  # so that many items are left when the first one is done
    return os.getpid()


def wait_for(path: Path) -> int:
    """Leave a file with this process's id, then wait until `path` exists."""
    path.with_name(f"{path.name}.{os.getpid()}").touch()
    while not path.exists():
        time.sleep(0.01)
    return os.getpid()


def warm_up(record: str, *errors: str) -> None:
    """Note that this process has warmed up; raise the errors that are given."""
    loaded_by.append(os.getpid())
    with Path(record).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if errors:
        raise ValueError(*errors)


def hold_up(folder: str) -> None:
    """Leave this process's id in the file `server`, then wait as long as there is a file `hold`."""
    Path(folder, "server.part").write_text(str(os.getpid()))
    Path(folder, "server.part").rename(Path(folder, "server"))
    while Path(folder, "hold").exists():
        time.sleep(0.01)


def ancestry(item: int) -> tuple[int, int, list[int]]:
    """Return this process, its parent, and the processes in which what it has inherited was loaded."""
    time.sleep(0.01)  # so that more than one process gets some
    return os.getpid(), os.getppid(), loaded_by
