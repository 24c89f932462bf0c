"""Run a stage piece by piece: a task that raises an error is recorded, and never stops the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from seta_dag.errors import ConfigError, OutputError, WorkerLostError
from seta_dag.executor.in_process import InProcess
from seta_dag.executor.memory import give_back
from seta_dag.executor.pieces import cut
from seta_dag.executor.workers import Workers, completed
from seta_dag.store.atomic import read_memo, remove, write_memo
from seta_dag.store.integrity import NO_FILE, compact, entries
from seta_dag.store.journal import Entry, appending
from seta_dag.store.layout import FORMAT_VERSION, OutputLayout, task_file_name

TASK_STAGES = ("trials", "ctrf", "tokens")
"""The stages that are built task by task, in order."""

Progress = Callable[[int, int], None]
"""Progress callback, called with `(done, total)` after each task."""


def no_progress(done: int, total: int) -> None:
    """Ignore progress."""


class TaskResult(NamedTuple):
    """Result of building one task: its record, counters, and the checksum of its file.

    The record is anything that JSON can hold; what a worker sends back is its JSON, as bytes.
    """

    record: Any
    counts: Counter[str]
    checksum: str = NO_FILE


class StageWork(NamedTuple):
    """What a stage does, in a form that can be sent to a worker.

    Attributes:
        stage: name of the stage.
        build: function at the top level of a module, called as `build(shared, task, input)`.
        shared: what all tasks of the stage need, as plain values.
    """

    stage: str
    build: Callable[[Any, str, Any], TaskResult]
    shared: Any


class Piece(NamedTuple):
    """Some tasks of a stage, with the input of each; what a worker is sent."""

    work: StageWork
    tasks: Mapping[str, Any]
    version: str = FORMAT_VERSION


@dataclass(slots=True)
class StageReport:
    """What a stage did: tasks built, their counters added up, and a sentence per task that failed."""

    built: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)


def run_stage(
    out: OutputLayout,
    fingerprints: Mapping[str, str],
    work: StageWork,
    inputs: Mapping[str, Any],
    *,
    tick: Progress = no_progress,
    workers: Workers | None = None,
) -> StageReport:
    """Build the tasks of `inputs`, piece by piece, and append each result to the journal.

    Only this process writes to the journal. A task that failed in an earlier stage is skipped; one that
    raises an error, or whose workers are killed, is recorded as failed. Without `workers`, the work is done
    in this process.
    """
    results: dict[str, TaskResult | str] = {}
    for task in inputs:
        if sentence := _earlier_failure(out, work.stage, task, fingerprints[task]):
            results[task] = sentence
    pieces = [
        Piece(work, {task: inputs[task] for task in tasks}) for tasks in cut(inputs.keys() - results.keys())
    ]
    give_back()  # what the previous stage left
    with (
        appending(out.journal(work.stage)) as append,
        completed(workers or InProcess(), build_piece, pieces) as done,
    ):
        for piece, built in done:
            if isinstance(built, WorkerLostError):
                built = dict.fromkeys(piece.tasks, f"{work.stage}: {_what(built)}")
            for task, result in built.items():
                results[task] = result
                _record(out, append, work.stage, task, fingerprints[task], result)
            tick(len(results), len(inputs))
    return _report(inputs, results)


def build_piece(piece: Piece) -> dict[str, TaskResult | str]:
    """Build the tasks of a piece; the result of one that raises an error is a sentence."""
    if piece.version != FORMAT_VERSION:
        raise ConfigError(f"this worker has another version of seta_dag ({FORMAT_VERSION}); install the same")
    return {task: _built(piece.work, task, given) for task, given in piece.tasks.items()}


def _built(work: StageWork, task: str, given: Any) -> TaskResult | str:
    try:
        result = work.build(work.shared, task, given)
        return result._replace(record=orjson.dumps(result.record))  # here, so that the driver need not
    except Exception as error:  # whatever a task raises, the others must still be built
        return f"{work.stage}: {_what(error)}"


def _record(
    out: OutputLayout,
    append: Callable[[str, Entry], None],
    stage: str,
    task: str,
    fingerprint: str,
    result: TaskResult | str,
) -> None:
    note = failure_note(out, task, fingerprint)
    if isinstance(result, str):
        write_memo(note, [stage, result])
        return
    remove(note)
    append(task_file_name(stage, task, fingerprint), Entry(result.checksum, result.record))


def _report(tasks: Iterable[str], results: Mapping[str, TaskResult | str]) -> StageReport:
    """Add up the results in the order of `tasks`, whatever the order in which they came."""
    report = StageReport()
    for task in tasks:
        result = results[task]
        if isinstance(result, str):
            report.failed[task] = result
        else:
            report.built.append(task)
            report.counts += result.counts
    return report


def _earlier_failure(out: OutputLayout, stage: str, task: str, fingerprint: str) -> str | None:
    """Return why a task has no input, as an earlier stage failed to write it.

    A failure of this stage or of a later one is no reason not to try again.
    """
    earlier = read_failure(failure_note(out, task, fingerprint))
    is_earlier = earlier and TASK_STAGES.index(earlier[0]) < TASK_STAGES.index(stage)
    return earlier[1] if earlier and is_earlier else None


def _what(error: Exception) -> str:
    """Say what went wrong without paths of this machine: the ledger is the same on all (rule R12)."""
    cause = error.__cause__ if isinstance(error, OutputError) else error
    said = cause.strerror or "no reason given" if isinstance(cause, OSError) else str(cause)
    return f"{type(cause).__name__}: {said}"


def records(out: OutputLayout, stage: str, fingerprints: Mapping[str, str]) -> dict[str, bytes]:
    """Return the JSON record of each task that a stage has built and whose file is intact."""
    found = entries(out, stage)
    names = {task: task_file_name(stage, task, value) for task, value in fingerprints.items()}
    return {task: found[name].record for task, name in names.items() if name in found}


def unbuilt(out: OutputLayout, fingerprints: Mapping[str, str]) -> list[str]:
    """Return the tasks that failed, or for which a stage is missing."""
    built = {stage: entries(out, stage) for stage in TASK_STAGES}
    failed = out.built("failed")  # read once, as the journals are, and not once per task

    def is_built(task: str, fingerprint: str) -> bool:
        done = all(task_file_name(stage, task, fingerprint) in built[stage] for stage in TASK_STAGES)
        return done and task_file_name("failed", task, fingerprint) not in failed

    return [task for task, fingerprint in fingerprints.items() if not is_built(task, fingerprint)]


def prune(out: OutputLayout, fingerprints: Mapping[str, str]) -> None:
    """Remove whatever belongs to tasks, or to fingerprints of tasks, that no longer exist."""
    for stage in TASK_STAGES:
        compact(out, stage, [task_file_name(stage, task, value) for task, value in fingerprints.items()])
    for stage in ("tokens", "failed"):  # the stages with one file per task
        out.remove_stale(stage, fingerprints)


def failure_note(out: OutputLayout, task: str, fingerprint: str) -> Path:
    """Return the path of the note that a task failed."""
    return out.task_file("failed", task, fingerprint)


def read_failure(note: Path) -> tuple[str, str] | None:
    """Return (stage, sentence) of a failure, None if the task did not fail."""
    kept = read_memo(note)
    return kept and (kept[0], kept[1])


def failures(out: OutputLayout, fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Return the sentence for each task that failed."""
    noted = out.built("failed")
    names = {task: task_file_name("failed", task, value) for task, value in fingerprints.items()}
    notes = {task: read_failure(out.stage("failed") / name) for task, name in names.items() if name in noted}
    return {task: note[1] for task, note in notes.items() if note is not None}
