"""Imported once by the fork server, before it forks the first worker; by nobody else.

It does its work on import, since that is all that a fork server does with the modules it is given.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from contextlib import suppress
from pickle import UnpicklingError
from types import TracebackType

from seta_dag.executor.warm_up import WarmUp

WARM_UP = "SETA_DAG_WARM_UP"
"""Environment variable with the warm-up as JSON; only set while the fork server is started."""


def _load() -> None:
    given = json.loads(os.environ.pop(WARM_UP, "null"))
    if given:
        with suppress(Exception):  # the worker that needs it raises the same error, and it is reported there
            WarmUp(given[0], tuple(given[1])).run()
        gc.collect()
        # A collection in a worker would otherwise write to, and so copy, all the memory that is shared.
        gc.freeze()


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error as usual, unless a worker could not start because its driver has been interrupted."""
    if not isinstance(error, EOFError | FileNotFoundError | UnpicklingError):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _report
_load()
