"""Send items to workers, try lost ones again, and cancel what has not begun."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from typing import Generic, TypeVar

from seta_dag.errors import WorkerLostError
from seta_dag.executor.workers import Workers

Item = TypeVar("Item")
Result = TypeVar("Result")

TRIES = 3
"""How often an item is given to a worker; one that kills its worker each time is at fault itself."""
_AHEAD = 3  # items per worker that have been sent: none ever waits, and what has not begun can be cancelled


@contextmanager
def completed(
    workers: Workers, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Iterator[tuple[Item, Result | WorkerLostError]]]:
    """Yield an iterator of (item, result), in the order in which the items are done.

    What `work` raises is raised here. When the block ends early, by an error or by an interrupt, the items
    that have not begun are cancelled.
    """
    run = _Run(workers, work, items)
    try:
        yield run.results()
    finally:
        run.cancel()


class _Run(Generic[Item, Result]):
    """The items of one call of `completed`, by their index."""

    def __init__(self, workers: Workers, work: Callable[[Item], Result], items: Iterable[Item]) -> None:
        self._workers, self._work, self._items = workers, work, list(items)
        self._todo = deque(range(len(self._items)))
        self._last_tries: deque[int] = deque()
        self._lost: Counter[int] = Counter()
        self._running: dict[Future[Result], int] = {}

    def results(self) -> Iterator[tuple[Item, Result | WorkerLostError]]:
        while self._todo or self._last_tries or self._running:
            self._send()
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in done:
                yield from self._result(future)

    def cancel(self) -> None:
        """Cancel what has not begun, and wait for the rest: nothing is written after this."""
        wait([future for future in self._running if not future.cancel()])

    def _send(self) -> None:
        # Whatever has one try left is sent alone: a killed process takes the whole pool with it, and only
        # the item that kills it is to run out of tries.
        if self._last_tries:
            if not self._running:
                self._start(self._last_tries.popleft())
            return
        most = self._workers.count * _AHEAD if self._todo else 0
        while self._todo and len(self._running) < most:
            if self._start(self._todo.popleft()).done():
                return  # in this process; report it before the next one begins

    def _start(self, index: int) -> Future[Result]:
        future = self._submit(index)
        self._running[future] = index
        return future

    def _submit(self, index: int) -> Future[Result]:
        for _ in range(TRIES - 1):
            try:
                return self._workers.open().submit(self._work, self._items[index])
            except (BrokenExecutor, OSError, EOFError):  # broken since the last result came
                self._workers.close()
                time.sleep(0.2)  # a fork server that is being killed refuses connections before it is gone
        return self._workers.open().submit(self._work, self._items[index])

    def _result(self, future: Future[Result]) -> Iterator[tuple[Item, Result | WorkerLostError]]:
        index = self._running.pop(future)
        try:
            result = future.result()
        except (BrokenExecutor, WorkerLostError) as error:
            if not self._running and isinstance(error, BrokenExecutor):
                self._workers.close()
            if self._is_lost(index, error):
                yield self._items[index], WorkerLostError(f"its worker was killed {TRIES} times")
        else:
            yield self._items[index], result

    def _is_lost(self, index: int, error: Exception) -> bool:
        """Return whether an item has no tries left; if it has, plan the next one."""
        # Dask itself has tried an item several times, next to others, when it reports it as lost.
        self._lost[index] += TRIES - 1 if isinstance(error, WorkerLostError) else 1
        if self._lost[index] < TRIES - 1:
            self._todo.append(index)  # last, so that it takes few others along if it is at fault
        elif self._lost[index] == TRIES - 1:
            self._last_tries.append(index)
        return self._lost[index] >= TRIES
