"""Sample the memory of a process, its descendants and its workers while they run (Linux only)."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_INTERVAL_S = 0.1


@dataclass(slots=True)
class Peak:
    """Peak memory so far, in MB (10**6 bytes) of proportional set size.

    Attributes:
        tree_mb: all processes together; a page that several of them share counts once.
        worker_mb: the largest process other than the first one.
    """

    tree_mb: float = 0.0
    worker_mb: float = 0.0


@contextmanager
def watched(pid: int, workers: Sequence[int]) -> Iterator[Peak]:
    """Yield the peak of a process tree and of `workers`, which is sampled until the block ends."""
    peak, done = Peak(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(pid, workers, peak, done))
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _watch(pid: int, workers: Sequence[int], peak: Peak, done: threading.Event) -> None:
    while not done.wait(_INTERVAL_S):
        driver, *others = (_pss_mb(one) for one in (pid, *_below(pid), *workers))
        peak.tree_mb = max(peak.tree_mb, driver + sum(others))
        peak.worker_mb = max([peak.worker_mb, *others])


def _below(pid: int) -> Iterator[int]:
    """Yield the present descendants of a process."""
    for child in children(pid):
        yield child
        yield from _below(child)


def children(pid: int) -> list[int]:
    """Return the children of a process; the kernel lists them per thread that started them."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:  # it has ended
        return []
    return [int(child) for one in threads for child in _read(f"/proc/{pid}/task/{one}/children").split()]


def _pss_mb(pid: int) -> float:
    found = re.search(r"^Pss: +(\d+)", _read(f"/proc/{pid}/smaps_rollup"), re.M)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except OSError:  # the process has ended since it was listed
        return ""
