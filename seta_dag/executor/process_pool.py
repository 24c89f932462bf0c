"""Worker processes on this machine, forked from a server that has loaded everything already."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import connection, forkserver

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
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["seta_dag.executor.fork_server"])
        os.environ[WARM_UP] = json.dumps(self._warm_up)
        try:
            forkserver.ensure_running()
        finally:
            del os.environ[WARM_UP]

    def open(self) -> Executor:
        if self._pool is None:
            self.start()
            context = multiprocessing.get_context("forkserver")
            self._pool = ProcessPoolExecutor(self.count, context, initializer=_start)
        return self._pool

    def close(self) -> None:
        # Not waited for: a process ends after the item that it is working on, and nothing else is sent.
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None


def _start() -> None:
    """Prepare a worker process: Ctrl-C is the driver's to handle, and no worker outlives its driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        connection.wait([driver.sentinel])
        os._exit(1)
