"""Progress of a run: every few seconds in Dagster's log, step by step for whoever displays it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import dagster as dg

from seta_dag.executor.stage import Progress

PROGRESS = logging.Logger("seta_dag.progress")
"""Receives the events of a run. `seta-dag build` adds a handler; the UI reads the run's own log."""

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_STEPS = 0.1
_MEANINGFUL_SECONDS, _MEANINGFUL_SHARE = 5.0, 0.02
"""How long a stage must have run (or a quarter of it be done), and what share, before its pace means much."""


def ticker(context: dg.AssetExecutionContext, unit: str = "tasks") -> Progress:
    """Return the progress callback of an asset's stage."""
    stage = context.asset_key.to_user_string()
    started = time.monotonic()
    line_is_due, step_is_due = _every(_SECONDS_BETWEEN_LINES), _every(_SECONDS_BETWEEN_STEPS)

    def tick(done: int, total: int) -> None:
        if step_is_due() or done == total:
            PROGRESS.info(stage, extra={"stage": stage, "done": done, "total": total, "unit": unit})
        if line_is_due():
            context.log.info(sentence(stage, done, total, unit, time.monotonic() - started))

    return tick


def sentence(stage: str, done: int, total: int, unit: str, seconds: float) -> str:
    """Say how many are done and, as soon as that means something, how fast and how long it will take."""
    found = pace(done, total, seconds)
    return f"{stage}: {done:,} of {total:,} {unit}{f', {found}' if found else ''}"


def pace(done: int, total: int, seconds: float) -> str:
    """Say how many are done per second, and how many seconds are left at that rate.

    Empty at the beginning of a stage: its workers may still be starting, and the first tasks may be small.
    """
    begun = seconds < _MEANINGFUL_SECONDS and done < total / 4
    if begun or seconds <= 0 or done < _MEANINGFUL_SHARE * total:
        return ""
    return f"{done / seconds:,.0f} per second, {(total - done) * seconds / done:,.0f} s left"


def _every(seconds: float) -> Callable[[], bool]:
    """Return a function that is True once per interval; the first interval starts now."""
    due = time.monotonic() + seconds

    def is_due() -> bool:
        nonlocal due
        now = time.monotonic()
        if now < due:
            return False
        due = now + seconds
        return True

    return is_due


@dg.logger(None, "The run's events, for whoever displays them.")
def progress(_: dg.InitLoggerContext) -> logging.Logger:
    """Return the logger that `seta-dag build` asks for in its run config."""
    return PROGRESS
