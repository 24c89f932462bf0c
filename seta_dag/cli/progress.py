"""Show the progress of a build: a bar in a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from seta_dag.defs.build.progress import PROGRESS, pace, sentence
from seta_dag.reports.printable import on_one_line, printable

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def shown() -> Iterator[Display]:
    """Show the events of every run in the block on standard error."""
    with _standard_error() as file:
        display = Display(Console(file=file, highlight=False, markup=False, emoji=False))
        PROGRESS.addHandler(display)
        PROGRESS.setLevel(logging.DEBUG)  # Dagster logs the events of a step at this level
        try:
            yield display
        finally:
            PROGRESS.removeHandler(display)
            display.stop()


@contextmanager
def _standard_error() -> Iterator[IO[str]]:
    """Open a copy of standard error as it is now, or the null device if it is closed.

    During a run Dagster redirects standard error itself to a file; the copy still leads to the terminal.
    """
    if sys.stderr is None:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            yield nowhere
        return
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except OSError:  # not a real file, for example click's CliRunner in tests
        yield sys.stderr
        return
    with _BestEffort(os.fdopen(descriptor, "wb"), encoding="utf-8", errors="backslashreplace") as file:
        yield file


class _BestEffort(io.TextIOWrapper):
    """Text file that ignores write errors: a closed pipe or a full disk must not stop a build."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            return super().write(text)
        return len(text)  # as if everything had been written

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()

    def close(self) -> None:
        with suppress(OSError):
            super().close()


class Display(logging.Handler):
    """Log handler that prints a line per finished stage, and how far the running stage is."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        rest = TextColumn("{task.fields[unit]}{task.fields[pace]}", markup=False)
        self._bars = Progress(*columns, rest, console=console, transient=True)
        self._bar: TaskID | None = None
        self._started: dict[str, float] = {}
        self._line_due = 0.0
        if console.is_terminal:
            self._bars.start()

    def say(self, line: str) -> None:
        """Print one line."""
        # A path may be wider than the terminal; it must stay copyable.
        self._bars.console.print(Text(f"  {on_one_line(printable(line))}"), soft_wrap=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record: an event of the Dagster run, or the progress of a stage."""
        meta: dict[str, Any] = getattr(record, "dagster_meta", None) or {}
        event, step = meta.get("dagster_event"), str(meta.get("step_key"))
        kind = event.event_type_value if event else None
        if hasattr(record, "stage"):  # set by `ticker`; Dagster's own records do not have it
            self._tick(vars(record))
        elif kind == "STEP_START":
            self._start(step)
        elif kind in ("STEP_SUCCESS", "STEP_FAILURE"):
            self._end(step, kind == "STEP_SUCCESS")

    def stop(self) -> None:
        """Remove the bar.

        This is not called `close`: Dagster closes every existing handler when it sets up logging.
        """
        self._bars.stop()

    def _start(self, step: str) -> None:
        self._started[step] = time.monotonic()
        self._line_due = time.monotonic() + 1.0  # a stage that takes less than a second prints no line

    def _tick(self, at: dict[str, Any]) -> None:
        seconds = time.monotonic() - self._started.get(at["stage"], time.monotonic())
        if not self._bars.console.is_terminal:
            self._line(sentence(at["stage"], at["done"], at["total"], at["unit"], seconds))
            return
        found = pace(at["done"], at["total"], seconds)
        state = {"completed": at["done"], "pace": f", {found}" if found else ""}
        if self._bar is None:
            self._bar = self._bars.add_task(at["stage"], total=at["total"], unit=at["unit"], **state)
        # Rich redraws ten times a second; without the refresh a short stage would end before its bar is full.
        self._bars.update(self._bar, refresh=at["done"] == at["total"], **state)

    def _line(self, line: str) -> None:
        if time.monotonic() >= self._line_due:
            self._line_due = time.monotonic() + _SECONDS_BETWEEN_LINES
            self.say(line)

    def _end(self, step: str, succeeded: bool) -> None:
        if self._bar is not None:
            self._bars.remove_task(self._bar)
            self._bar = None
        seconds = time.monotonic() - self._started.pop(step, time.monotonic())
        mark = ("✓", "green") if succeeded else ("✗", "red")
        self._bars.console.print(
            Text.assemble("  ", mark, f" {step.replace('__', ' ')} ", (f"{seconds:.1f} s", "dim"))
        )
