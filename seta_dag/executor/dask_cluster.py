"""The workers of a Dask cluster that somebody else has started: SLURM, Kubernetes, or a person by ssh."""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from seta_dag.errors import ClusterLostError, ConfigError, WorkerLostError
from seta_dag.executor.warm_up import ONE_THREAD, WarmUp

try:
    from distributed import Client, KilledWorker, Worker, WorkerPlugin
except ImportError as error:
    raise ConfigError("Dask is not installed; pip install 'seta-dag[dask]'") from error


_LOST = "the scheduler of the Dask cluster went away during the build; build again"


class DaskCluster:
    """A cluster by the address of its scheduler, `tcp://host:8786`, or by its scheduler file."""

    def __init__(self, where: str, warm_up: WarmUp | None = None) -> None:
        self._where, self._warm_up = where, warm_up
        self._client: Client | None = None
        self._executor: Executor | None = None

    @property
    def count(self) -> int:
        """Threads of all workers that are there now; others may join or leave."""
        cores: dict[str, int] = self._connected().ncores()
        return max(1, sum(cores.values()))

    def start(self) -> None:
        """Connect, which makes the workers load. Raises `ConfigError` if no scheduler answers."""
        self._connected()

    def open(self) -> Executor:
        if self._executor is None:
            self._executor = _Cluster(self._connected())
        return self._executor

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = self._executor = None

    def _connected(self) -> Client:
        if self._client is None:
            is_file = "://" not in self._where and not self._where.rpartition(":")[2].isdecimal()
            if is_file and not Path(self._where).is_file():  # Dask would wait for it forever
                raise ConfigError(f"dask:{self._where}: no such scheduler file; start a scheduler with it")
            try:
                self._client = Client(scheduler_file=self._where) if is_file else Client(self._where)
            except (OSError, ValueError) as error:
                raise ConfigError(
                    f"dask:{self._where}: no scheduler answers ({error}); start one, or give its address"
                ) from error
            self._client.register_plugin(_Preload(self._warm_up))
        return self._client


class _Cluster(Executor):
    """Dask's executor, with its own errors replaced by ours."""

    def __init__(self, client: Client) -> None:
        self._executor = client.get_executor(pure=False)

    def submit(self, work: Any, /, *args: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        inner = self._executor.submit(work, *args, **named)
        future.add_done_callback(lambda outer: inner.cancel() if outer.cancelled() else None)
        inner.add_done_callback(lambda done: _pass_on(done, future))
        return future


def _pass_on(done: Future[Any], future: Future[Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    # Only the scheduler cancels what we have not: when it ends, or is told to forget everything.
    error = ClusterLostError(_LOST) if done.cancelled() else done.exception()
    if error is None:
        future.set_result(done.result())
    else:
        future.set_exception(WorkerLostError() if isinstance(error, KilledWorker) else error)


class _Preload(WorkerPlugin):
    """Loads the warm-up once per worker, and in those that join later."""

    name = "seta-dag"
    idempotent = True

    def __init__(self, warm_up: WarmUp | None) -> None:
        self._warm_up = warm_up

    def setup(self, worker: Worker) -> None:
        os.environ.update(ONE_THREAD)  # before the first text is encoded, or fastokens starts threads
        if self._warm_up is not None:
            self._warm_up.run()
