"""Work in this process, at once: one worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import Any, TypeVar

from seta_dag.executor.warm_up import WarmUp, use_one_thread

Result = TypeVar("Result")


class InProcess(Executor):
    """An executor that does the work in `submit`; also the `Workers` that open it."""

    count = 1

    def __init__(self, warm_up: WarmUp | None = None) -> None:
        self._warm_up = warm_up

    def start(self) -> None:
        """Load in a thread what the work needs. Most of that time is spent without the GIL."""
        use_one_thread()
        if self._warm_up is not None:
            threading.Thread(target=_run_quietly, args=(self._warm_up,), daemon=True).start()

    def open(self) -> Executor:
        return self

    def close(self) -> None:
        """Do nothing."""

    def submit(self, work: Callable[..., Result], /, *args: Any, **named: Any) -> Future[Result]:
        future: Future[Result] = Future()
        try:
            future.set_result(work(*args, **named))
        except Exception as error:  # as any executor does; an interrupt is not caught, and stops the build
            future.set_exception(error)
        return future


def _run_quietly(warm_up: WarmUp) -> None:
    with suppress(Exception):  # raised again where the work needs it
        warm_up.run()
