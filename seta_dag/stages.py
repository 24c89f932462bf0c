"""Task by task through a stage: one task that raises is written down and never stops the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seta_dag.errors import OutputError
from seta_dag.files import read_memo, remove, write_memo, written_aside
from seta_dag.out import Out, task_file_name
from seta_dag.whole import note_written, whole

TASK_STAGES = ("trials", "ctrf", "tokens")
"""The stages that are built task by task, in their order."""


@dataclass(slots=True)
class StageReport:
    """What a stage did: the tasks built, what they counted, and the sentence for each that failed."""

    built: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)


def run_stage(
    out: Out,
    stage: str,
    fingerprints: Mapping[str, str],
    tasks: Iterable[str],
    build: Callable[[str, Path], Counter[str]],
) -> StageReport:
    """Calls `build(task, path)`, which writes the task's stage file to `path` and counts, for each task.

    A task that failed in an earlier stage is passed over; one that raises here is kept as failed.
    """
    report = StageReport()
    for task in tasks:
        note = failure_note(out, task, fingerprints[task])
        earlier = read_failure(note)
        if earlier and stage != TASK_STAGES[0] and TASK_STAGES.index(earlier[0]) < TASK_STAGES.index(stage):
            report.failed[task] = earlier[1]
            continue
        remove(note)
        try:
            report.counts += _built(out, stage, out.task_file(stage, task, fingerprints[task]), task, build)
            report.built.append(task)
        except Exception as error:
            report.failed[task] = f"{stage}: {_what(error)}"
            write_memo(note, [stage, report.failed[task]])
    return report


def _built(
    out: Out, stage: str, path: Path, task: str, build: Callable[[str, Path], Counter[str]]
) -> Counter[str]:
    with written_aside(path) as aside:
        counts = build(task, aside)
        note_written(out, stage, path.name, aside)
    return counts


def _what(error: Exception) -> str:
    """What went wrong without the paths of this machine: the ledger is the same on all (R12)."""
    cause = error.__cause__ if isinstance(error, OutputError) else error
    said = cause.strerror or "no reason given" if isinstance(cause, OSError) else str(cause)
    return f"{type(cause).__name__}: {said}"


def unbuilt(out: Out, fingerprints: Mapping[str, str]) -> list[str]:
    """The tasks that lack a whole stage file for their fingerprint, or whose building failed."""
    built = {stage: whole(out, stage) for stage in TASK_STAGES}
    failed = out.built("failed")

    def is_built(task: str, fingerprint: str) -> bool:
        done = all(task_file_name(stage, task, fingerprint) in built[stage] for stage in TASK_STAGES)
        return done and task_file_name("failed", task, fingerprint) not in failed

    return [task for task, fingerprint in fingerprints.items() if not is_built(task, fingerprint)]


def failure_note(out: Out, task: str, fingerprint: str) -> Path:
    """Where it is kept that the building of `task` raised."""
    return out.task_file("failed", task, fingerprint)


def read_failure(note: Path) -> tuple[str, str] | None:
    """(stage, sentence) of a kept failure, None where the task did not fail."""
    kept = read_memo(note)
    return kept and (kept[0], kept[1])


def failures(out: Out, fingerprints: Mapping[str, str]) -> dict[str, str]:
    """The sentence for each task whose building raised."""
    noted = out.built("failed")
    names = {task: task_file_name("failed", task, value) for task, value in fingerprints.items()}
    notes = {task: read_failure(out.stage("failed") / name) for task, name in names.items() if name in noted}
    return {task: note[1] for task, note in notes.items() if note is not None}
