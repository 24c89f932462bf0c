"""Spread work over the cores; results come in the order of the work, with any number of workers."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_HELD = 32_000_000  # bytes
_AHEAD = 2  # results per worker that may wait in memory, however much work there is


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """Yield `work(item)` for each item, in order, on `workers` threads (None: one per core)."""
    workers = workers or cores()
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # the caller stopped iterating, so the rest is not wanted
            for future in waiting:
                future.cancel()


class Deferred:
    """Work put off until a thread has nothing better to do, or until it holds too much memory."""

    def __init__(self) -> None:
        self._work: deque[Callable[[], None]] = deque()
        self._held = 0

    def add(self, held: int, work: Callable[[], None]) -> None:
        """Put off `work`, which keeps `held` bytes in memory."""
        self._work.append(work)
        self._held += held
        if self._held > _MOST_HELD:
            self.run()

    def run(self) -> None:
        """Do what was put off, in order."""
        while self._work:
            self._work.popleft()()
        self._held = 0
