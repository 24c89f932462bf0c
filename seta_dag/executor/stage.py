"""Run a stage piece by piece: a task that raises an error is recorded, and never stops the others.

What a stage has built is a table with one line per task (`StageTable`). Only the driver writes it: at the
end, and from time to time before, so that a killed build continues from there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from seta_dag.errors import ConfigError, WorkerLostError
from seta_dag.executor.completed import completed
from seta_dag.executor.in_process import InProcess
from seta_dag.executor.memory import give_back
from seta_dag.executor.piece import Piece, Result, what
from seta_dag.executor.stage_table import StageTable, TaskLine
from seta_dag.executor.workers import Workers
from seta_dag.store.atomic import is_full
from seta_dag.store.layout import FORMAT_VERSION, OutputLayout

_SECONDS_BETWEEN_WRITES = 1.0
_SHARE_OF_TIME = 0.05
"""At most this much of the time goes into writing the table: with many tasks it is written less often."""

Record = TypeVar("Record")
Progress = Callable[[int, int], None]
"""Progress callback, called with `(done, total)` after each piece; both count tasks."""


def no_progress(done: int, total: int) -> None:
    """Ignore progress."""


class _Call(NamedTuple):
    """A piece with its stage, and the function at the top level of a module that builds it."""

    stage: str
    build: Callable[[Piece], Mapping[str, Result]]
    piece: Piece


@dataclass(slots=True)
class StageReport:
    """What a stage did: tasks built, their counters added up, and a sentence per task that failed."""

    built: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)


class Stage(Generic[Record]):
    """A stage that is being run."""

    def __init__(self, out: OutputLayout, table: StageTable[Record], fingerprints: Mapping[str, str]) -> None:
        self._path = out.table(table.stage)
        self._table, self._fingerprints = table, fingerprints
        self._lines = {line.task: line for line in table.read(out)}
        self._write_due = time.monotonic() + _SECONDS_BETWEEN_WRITES

    def run(
        self,
        build: Callable[[Piece], Mapping[str, Result]],
        pieces: Sequence[Piece],
        *,
        skipped: Mapping[str, str] | None = None,
        tick: Progress = no_progress,
        workers: Workers | None = None,
    ) -> StageReport:
        """Build all pieces, in this process if there are no `workers`.

        `skipped` are tasks that an earlier stage failed to build, with its sentences. A task that raises an
        error, or whose workers are killed, is recorded as failed.
        """
        results: dict[str, Result] = dict(skipped or {})
        total = sum(len(piece.tasks) for piece in pieces) + len(results)
        give_back()  # what the previous stage left
        calls = [_Call(self._table.stage, build, piece) for piece in pieces]
        try:
            with completed(workers or InProcess(), _call, calls) as done:
                for call, built in done:
                    for task, result in self._results(call.piece, built).items():
                        self._note(task, result)  # also for tasks of the piece that were only copied
                        if task in call.piece.tasks:
                            results[task] = result
                    tick(len(results), total)
                    self._write_if_due()
        finally:  # what is done counts, even if the rest is cancelled
            self._write()
        return _report(results)

    def _write(self) -> None:
        started = time.monotonic()
        self._table.write(self._path, self._lines.values())
        took = time.monotonic() - started
        self._write_due = started + max(_SECONDS_BETWEEN_WRITES, took / _SHARE_OF_TIME)

    def _results(self, piece: Piece, built: Mapping[str, Result] | WorkerLostError) -> Mapping[str, Result]:
        if isinstance(built, WorkerLostError):
            return dict.fromkeys(piece.tasks, f"{self._table.stage}: {what(built)}")
        return built

    def _note(self, task: str, result: Result) -> None:
        fingerprint = self._fingerprints[task]
        if isinstance(result, str):
            self._lines[task] = TaskLine(task, fingerprint, (), failure=result)
        else:
            self._lines[task] = TaskLine(task, fingerprint, result.records, file=result.file)

    def _write_if_due(self) -> None:
        if time.monotonic() >= self._write_due:
            self._write()


def _call(call: _Call) -> Mapping[str, Result]:
    """Build a piece, in a worker."""
    if call.piece.version != FORMAT_VERSION:
        raise ConfigError(f"this worker has another version of seta_dag ({FORMAT_VERSION}); install the same")
    try:
        return call.build(call.piece)
    except Exception as error:  # of the piece as a whole, such as a folder that cannot be written
        if is_full(error):
            raise
        return dict.fromkeys(call.piece.tasks, f"{call.stage}: {what(error)}")


def _report(results: Mapping[str, Result]) -> StageReport:
    """Add up the results in the order of the tasks, whatever the order in which they came."""
    report = StageReport()
    for task, result in sorted(results.items()):
        if isinstance(result, str):
            report.failed[task] = result
        else:
            report.built.append(task)
            report.counts += result.counts
    return report
