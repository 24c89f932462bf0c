"""The table of a stage: what it has built of each task, or why it failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from seta_dag.store.integrity import is_unchanged, with_present_time
from seta_dag.store.layout import OutputLayout
from seta_dag.store.table import Table

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class PieceFile:
    """A file with the rows of several tasks.

    Attributes:
        name: in the folder of pieces.
        checksum: of its bytes, with its size and time when it was written.
    """

    name: str
    checksum: str


@dataclass(frozen=True, slots=True)
class TaskLine(Generic[Record]):
    """One task in the table of a stage.

    Attributes:
        task: its name.
        fingerprint: for which the stage was run.
        records: one per trial.
        file: where its rows are; None if the stage writes no rows.
        failure: why the stage failed, as a sentence; None if it is built.
    """

    task: str
    fingerprint: str
    records: tuple[Record, ...]
    file: PieceFile | None = None
    failure: str | None = None


class StageTable(Generic[Record]):
    """The table of one stage; `record` is the dataclass of its records."""

    def __init__(self, stage: str, record: type[Record]) -> None:
        self.stage = stage
        self._table: Table[TaskLine[Record]] = Table(TaskLine[record])  # type: ignore[valid-type]

    def read(self, out: OutputLayout) -> tuple[TaskLine[Record], ...]:
        """Return the lines of all tasks; none if the table is missing or damaged."""
        return self._table.read(out.table(self.stage)) or ()

    def write(self, path: Path, lines: Iterable[TaskLine[Record]]) -> None:
        """Replace the table. The order of the lines does not matter. Raises `OutputError`."""
        self._table.write(path, sorted(lines, key=lambda line: line.task))

    def current(self, out: OutputLayout, fingerprints: Mapping[str, str]) -> dict[str, TaskLine[Record]]:
        """Return the lines of tasks that were built, or that failed, with their present fingerprint.

        A task whose file is missing or damaged is left out.
        """
        lines = [line for line in self.read(out) if fingerprints.get(line.task) == line.fingerprint]
        files = {line.file for line in lines if line.file is not None}
        intact = {file for file in files if is_unchanged(out.piece(file.name), file.checksum)}
        return {line.task: line for line in lines if line.file is None or line.file in intact}

    def built(self, out: OutputLayout, fingerprints: Mapping[str, str]) -> dict[str, tuple[Record, ...]]:
        """Return the records of the tasks that are built."""
        current = self.current(out, fingerprints)
        return {task: line.records for task, line in current.items() if line.failure is None}

    def failed(self, out: OutputLayout, fingerprints: Mapping[str, str]) -> dict[str, str]:
        """Return the sentence of each task that failed."""
        current = self.current(out, fingerprints)
        return {task: line.failure for task, line in current.items() if line.failure is not None}

    def prune(self, out: OutputLayout, fingerprints: Mapping[str, str]) -> set[str]:
        """Remove the lines of other tasks and fingerprints, and return the names of the files in use.

        Lines of files that were copied get the present time of their file, so that it need not be read again.
        """
        lines = self.read(out)
        kept = [_with_present_time(out, line) for line in self.current(out, fingerprints).values()]
        if sorted(kept, key=lambda line: line.task) != list(lines):
            self.write(out.table(self.stage), kept)
        return {line.file.name for line in kept if line.file is not None}


def _with_present_time(out: OutputLayout, line: TaskLine[Any]) -> TaskLine[Any]:
    if line.file is None:
        return line
    checksum = with_present_time(out.piece(line.file.name), line.file.checksum)
    return replace(line, file=replace(line.file, checksum=checksum))
