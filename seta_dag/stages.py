"""Task by task through a stage: one task that raises is written down and never stops the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from seta_dag.files import write_json
from seta_dag.out import Out, task_file_name

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
    """Calls `build(task, path of its stage file)`, which writes the file and counts, for each task.

    A task that failed in an earlier stage is passed over; one that raises here is kept as failed.
    """
    report = StageReport()
    for task in tasks:
        note = failure_note(out, task, fingerprints[task])
        earlier = read_failure(note)
        if earlier and stage != TASK_STAGES[0] and TASK_STAGES.index(earlier[0]) < TASK_STAGES.index(stage):
            report.failed[task] = earlier[1]
            continue
        note.unlink(missing_ok=True)
        try:
            report.counts += build(task, out.task_file(stage, task, fingerprints[task]))
            report.built.append(task)
        except Exception as error:
            report.failed[task] = f"{stage}: {type(error).__name__}: {_what(error)}"
            write_json(note, {"stage": stage, "error": report.failed[task]})
    return report


def _what(error: Exception) -> str:
    """What went wrong without the paths of this machine: the ledger is the same on all (R12)."""
    return error.strerror or "no reason given" if isinstance(error, OSError) else str(error)


def unbuilt(out: Out, fingerprints: Mapping[str, str]) -> list[str]:
    """The tasks that lack a stage file for their fingerprint, or whose building failed."""
    built = {stage: out.built(stage) for stage in (*TASK_STAGES, "failed")}

    def is_built(task: str, fingerprint: str) -> bool:
        names = {stage: task_file_name(stage, task, fingerprint) for stage in built}
        done = all(names[stage] in built[stage] for stage in TASK_STAGES)
        return done and names["failed"] not in built["failed"]

    return [task for task, fingerprint in fingerprints.items() if not is_built(task, fingerprint)]


def failure_note(out: Out, task: str, fingerprint: str) -> Path:
    """Where it is kept that the building of `task` raised."""
    return out.task_file("failed", task, fingerprint)


def read_failure(note: Path) -> tuple[str, str] | None:
    """(stage, sentence) of a kept failure, None where the task did not fail."""
    if not note.exists():
        return None
    kept = orjson.loads(note.read_bytes())
    return kept["stage"], kept["error"]


def failures(out: Out, fingerprints: Mapping[str, str]) -> dict[str, str]:
    """The sentence for each task whose building raised."""
    noted = out.built("failed")
    names = {task: task_file_name("failed", task, value) for task, value in fingerprints.items()}
    notes = {task: read_failure(out.stage("failed") / name) for task, name in names.items() if name in noted}
    return {task: note[1] for task, note in notes.items() if note is not None}
