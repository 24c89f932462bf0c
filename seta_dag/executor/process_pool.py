"""Worker processes on this machine, forked from a server that has loaded everything already."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, context, forkserver, resource_tracker
from types import ModuleType

from seta_dag.executor.fork_server import WARM_UP
from seta_dag.executor.warm_up import WarmUp, use_one_thread


class ProcessPool:
    """A pool of `count` processes. They share the memory of what the fork server has loaded."""

    def __init__(self, count: int, warm_up: WarmUp | None = None) -> None:
        self.count = count
        self._warm_up = warm_up
        self._pool: Executor | None = None

    def start(self) -> None:
        """Start the fork server, if none is running: it loads while this process does something else."""
        use_one_thread()
        _Context().set_forkserver_preload(["seta_dag.executor.fork_server"])
        os.environ[WARM_UP] = json.dumps(self._warm_up)
        try:
            with _without_interrupts():
                forkserver.ensure_running()
        finally:
            del os.environ[WARM_UP]

    def open(self) -> Executor:
        if self._pool is None:
            self.start()
            self._pool = ProcessPoolExecutor(self.count, _Context(), initializer=_end_with_driver)
        return self._pool

    def close(self) -> None:
        """Wait until each process has ended, after the item that it is working on."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


class _Process(context.ForkServerProcess):
    """A process that does not import the main module of this one, as multiprocessing would have it do.

    Nothing in there is sent to a worker, importing it takes time, and a script without
    `if __name__ == "__main__"` would build once more in each worker.
    """

    def start(self) -> None:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            super().start()
        finally:
            sys.modules["__main__"] = main


class _Context(context.ForkServerContext):
    Process = _Process


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let the processes that are started never see Ctrl-C: the driver decides when they end.

    A blocked signal stays blocked in every child, from its first instruction on.
    """
    resource_tracker.ensure_running()  # it would unblock the signal itself
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_driver() -> None:
    """Prepare a worker process: no worker outlives its driver."""
    threading.Thread(target=_wait_for_driver, daemon=True).start()


def _wait_for_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        connection.wait([driver.sentinel])
        os._exit(1)
