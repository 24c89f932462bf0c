"""Run a stage task by task: a task that raises an error is recorded, and never stops the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from seta_dag.errors import OutputError
from seta_dag.executor.memory import give_back
from seta_dag.executor.workers import in_order
from seta_dag.store.atomic import read_memo, remove, write_memo
from seta_dag.store.integrity import NO_FILE, compact, entries
from seta_dag.store.journal import Entry, appending
from seta_dag.store.layout import OutputLayout, task_file_name

TASK_STAGES = ("trials", "ctrf", "tokens")
"""The stages that are built task by task, in order."""

Progress = Callable[[int, int], None]
"""Progress callback, called with `(done, total)` after each task."""


def no_progress(done: int, total: int) -> None:
    """Ignore progress."""


class TaskResult(NamedTuple):
    """Result of building one task: a JSON-serializable record, counters, and the checksum of its file."""

    record: Any
    counts: Counter[str]
    checksum: str = NO_FILE


@dataclass(slots=True)
class StageReport:
    """What a stage did: tasks built, their counters added up, and a sentence per task that failed."""

    built: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)


def run_stage(
    out: OutputLayout,
    stage: str,
    fingerprints: Mapping[str, str],
    tasks: Iterable[str],
    build: Callable[[str], TaskResult],
    *,
    tick: Progress = no_progress,
    workers: int | None = 1,
) -> StageReport:
    """Call `build(task)` for each task, on `workers` threads, and append each result to the journal.

    A task that failed in an earlier stage is skipped; one that raises an error here is recorded as failed.
    """
    report, todo = StageReport(), list(tasks)
    give_back()  # what the previous stage left
    with appending(out.journal(stage)) as append:
        made = in_order(lambda task: _result(out, stage, fingerprints[task], task, build), todo, workers)
        for done, (task, one) in enumerate(zip(todo, made, strict=True), 1):
            if isinstance(one, str):
                report.failed[task] = one
            else:
                # Only this thread appends, in the order of `todo`: the journal is the same for any `workers`.
                append(
                    task_file_name(stage, task, fingerprints[task]),
                    Entry(one.checksum, orjson.dumps(one.record)),
                )
                report.counts += one.counts
                report.built.append(task)
            tick(done, len(todo))
    return report


def _result(
    out: OutputLayout, stage: str, fingerprint: str, task: str, build: Callable[[str], TaskResult]
) -> TaskResult | str:
    """Return the result of a task, or the sentence that says why it failed."""
    note = failure_note(out, task, fingerprint)
    earlier = read_failure(note)
    # The input that an earlier stage failed to write is missing. A failure of this stage or of a later
    # one is no reason not to try again.
    if earlier and TASK_STAGES.index(earlier[0]) < TASK_STAGES.index(stage):
        return earlier[1]
    try:
        remove(note)
        return build(task)
    except Exception as error:  # whatever a task raises, the others must still be built
        said = f"{stage}: {_what(error)}"
        write_memo(note, [stage, said])
        return said


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
