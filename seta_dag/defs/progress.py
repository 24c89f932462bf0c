"""What a person sees while a build runs in a terminal: one line a finished stage."""

import logging
import time
from typing import Any

import dagster as dg
from rich.console import Console


class _StageLines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self._console = Console(stderr=True, highlight=False)
        self._started: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        meta: dict[str, Any] = getattr(record, "dagster_meta", {})
        event, step = meta.get("dagster_event"), meta.get("step_key")
        kind = event.event_type_value if event else None
        if kind == "STEP_START":
            self._started[str(step)] = time.monotonic()
        elif kind in ("STEP_SUCCESS", "STEP_FAILURE"):
            self._show(str(step), kind == "STEP_SUCCESS")

    def _show(self, step: str, well: bool) -> None:
        seconds = time.monotonic() - self._started.pop(step, time.monotonic())
        mark = "[green]✓[/]" if well else "[red]✗[/]"
        self._console.print(f"  {mark} {step.replace('__', ' ')} [dim]{seconds:.1f} s[/]")


@dg.logger(None, "One line for each finished stage, on standard error.")
def progress(_: dg.InitLoggerContext) -> logging.Logger:
    """The logger that `seta-dag build` asks for; the UI shows the events themselves."""
    logger = logging.Logger("seta_dag.progress")
    logger.addHandler(_StageLines())
    return logger
