"""Where work is done: in this process, on the cores of this machine, or on a Dask cluster.

The one seam is `concurrent.futures.Executor`. What is sent is a function at the top level of a module and
plain values; what comes back is small. Work can be done twice without harm, so a lost worker is no error.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from seta_dag.errors import ConfigError
from seta_dag.executor.in_process import InProcess
from seta_dag.executor.warm_up import WarmUp

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers(Protocol):
    """A kind of workers. Opened when the first item is sent, and again if they broke."""

    @property
    def count(self) -> int:
        """How many items are worked on at a time."""

    def start(self) -> None:
        """Begin to load what the workers need, in the background."""

    def open(self) -> Executor:
        """Return the executor. Raises `ConfigError` if the workers cannot be reached."""

    def close(self) -> None:
        """Let go of the workers; those that this process started end."""


def parse_workers(text: str, warm_up: WarmUp | None = None) -> Workers:
    """Return the workers that a setting names.

    Args:
        text: empty for one process per core, a number of processes, 1 for this process, or `dask:` and the
            address or the scheduler file of a Dask cluster.
        warm_up: what each worker loads before its first item.

    Raises:
        ConfigError: it is none of these, or Dask is not installed.
    """
    if text.startswith("dask:"):
        from seta_dag.executor.dask_cluster import DaskCluster  # Dask is an extra

        return DaskCluster(text.removeprefix("dask:"), warm_up)
    from seta_dag.executor.process_pool import ProcessPool

    if text and not (text.isdecimal() and int(text)):
        raise ConfigError(
            f"workers {text}: give a number of processes, 1 for this process, dask:ADDRESS or dask:FILE"
        )
    number = int(text or cores())
    return ProcessPool(number, warm_up) if number > 1 else InProcess(warm_up)


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
