"""Work spread over the cores, its results in the order of the work whatever the number of cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_HELD = 32_000_000  # bytes
_AHEAD = 2  # results a worker may be ahead, so that what waits in memory doesn't grow with the work


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """`work(item)` of each item, in order, on as many threads as there are cores, or `workers`."""
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
        finally:  # whoever stops asking wants no more of it done
            for future in waiting:
                future.cancel()


class Deferred:
    """Work that can wait until a thread has nothing better to do; done at once where it holds much memory."""

    def __init__(self) -> None:
        self._work: deque[Callable[[], None]] = deque()
        self._held = 0

    def add(self, held: int, work: Callable[[], None]) -> None:
        """Puts off `work`, which keeps `held` bytes in memory."""
        self._work.append(work)
        self._held += held
        if self._held > _MOST_HELD:
            self.run()

    def run(self) -> None:
        """Does what was put off, in order."""
        while self._work:
            self._work.popleft()()
        self._held = 0
