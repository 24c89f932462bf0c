"""Imported once by the fork server, before it forks the first worker; by nobody else.

It does its work on import, since that is all that a fork server does with the modules it is given.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pickle import UnpicklingError
from types import TracebackType

from seta_dag.executor.warm_up import WarmUp

WARM_UP = "SETA_DAG_WARM_UP"
"""Environment variable with the warm-up as JSON; only set while the fork server is started."""


def _load() -> None:
    given = json.loads(os.environ.pop(WARM_UP, "null"))
    if given:
        with _ending_with_driver(), suppress(Exception):
            # The worker that needs it raises the same error, and it is reported there.
            WarmUp(given[0], tuple(given[1])).run()
        gc.collect()
        # A collection in a worker would otherwise write to, and so copy, all the memory that is shared.
        gc.freeze()


@contextmanager
def _ending_with_driver() -> Iterator[None]:
    """End this process as soon as the driver has ended; a fork server notices that only when it is loaded."""
    driver, is_loaded = os.getppid(), threading.Event()

    def watch() -> None:
        while not is_loaded.wait(0.1):
            if os.getppid() != driver:
                os._exit(1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        is_loaded.set()
        watcher.join()  # a process should not fork while it has threads


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error as usual, unless a worker could not start because its driver has been interrupted."""
    if not isinstance(error, EOFError | FileNotFoundError | UnpicklingError):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _report
_load()
