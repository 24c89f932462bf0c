"""How far a run is: told to Dagster's log every few seconds, and step by step to whoever shows it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import dagster as dg

from seta_dag.executor.stage import Progress

PROGRESS = logging.Logger("seta_dag.progress")
"""Whoever shows a build adds a handler: `seta-dag build` does, the UI reads the run's own log."""

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_STEPS = 0.1


def ticker(context: dg.AssetExecutionContext, unit: str = "tasks") -> Progress:
    """What a stage calls after each task or shard."""
    stage = context.asset_key.to_user_string()
    started = time.monotonic()
    line, step = _every(_SECONDS_BETWEEN_LINES), _every(_SECONDS_BETWEEN_STEPS)

    def tick(done: int, total: int) -> None:
        if step() or done == total:
            PROGRESS.info(stage, extra={"stage": stage, "done": done, "total": total, "unit": unit})
        if line():
            context.log.info(sentence(stage, done, total, unit, time.monotonic() - started))

    return tick


def sentence(stage: str, done: int, total: int, unit: str, seconds: float) -> str:
    """Done of all, the rate, and the time left if it goes on like that."""
    rate = done / seconds if seconds > 0 else 0.0
    left = f", {(total - done) / rate:,.0f} s left" if rate else ""
    return f"{stage}: {done:,} of {total:,} {unit}, {rate:,.0f} a second{left}"


def _every(seconds: float) -> Callable[[], bool]:
    """Whether that long has gone by since it last was so, or since the start."""
    due = time.monotonic() + seconds

    def is_due() -> bool:
        nonlocal due
        now = time.monotonic()
        if now < due:
            return False
        due = now + seconds
        return True

    return is_due


@dg.logger(None, "The run's events, for whoever shows them.")
def progress(_: dg.InitLoggerContext) -> logging.Logger:
    """The logger that `seta-dag build` asks for."""
    return PROGRESS
