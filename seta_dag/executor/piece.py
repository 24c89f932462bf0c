"""A piece: some tasks of a stage, which is what a worker is sent, and what it returns for each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from seta_dag.errors import OutputError, SetaError
from seta_dag.executor.stage_table import PieceFile
from seta_dag.store.atomic import is_full
from seta_dag.store.layout import FORMAT_VERSION


class Built(NamedTuple):
    """What a worker returns for a task.

    Attributes:
        records: of its trials.
        counts: what the stage's report adds up.
        file: the piece's file that has its rows, if the stage writes one.
    """

    records: tuple[Any, ...]
    counts: Counter[str]
    file: PieceFile | None = None


Result = Built | str
"""Of one task; a string is the sentence that says why it failed."""


class Piece(NamedTuple):
    """Some tasks of a stage; what a worker is sent.

    Attributes:
        tasks: the input of each task that is to be built.
        shared: what all tasks of the stage need, as plain values.
        context: what this piece needs besides.
    """

    tasks: Mapping[str, Any]
    shared: Any
    context: Any = None
    version: str = FORMAT_VERSION


def each(stage: str, build: Callable[[Any, str, Any], Built], piece: Piece) -> dict[str, Result]:
    """Call `build(shared, task, input)` for each task of a piece."""
    return {
        task: attempt(stage, lambda task=task: build(piece.shared, task, piece.tasks[task]))  # type: ignore[misc]
        for task in piece.tasks
    }


def attempt(stage: str, build: Callable[[], Built]) -> Result:
    """Return what `build` returns, or a sentence that says what it raised.

    A full disk is no fault of the task: that error is raised, and ends the stage.
    """
    try:
        return build()
    except Exception as error:  # whatever a task raises, the others must still be built
        if is_full(error):
            raise
        return f"{stage}: {what(error)}"


def what(error: Exception) -> str:
    """Say what went wrong without paths of this machine: the ledger is the same on all (rule R12)."""
    cause = error.__cause__ if isinstance(error, OutputError) else error
    if isinstance(cause, OSError):
        return cause.strerror or "no reason given"
    return str(cause) if isinstance(cause, SetaError) else f"unexpected {type(cause).__name__}: {cause}"
