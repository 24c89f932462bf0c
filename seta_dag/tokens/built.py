"""Which tasks are built, by the tables of all three stages."""

from __future__ import annotations

from collections.abc import Mapping

from seta_dag.rollouts.collect_trials import COLLECTED
from seta_dag.rollouts.parse_reports import REPORTS
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import OUTCOMES

STAGES = (COLLECTED, REPORTS, OUTCOMES)
"""The stages that are built task by task, in order."""


def unbuilt(out: OutputLayout, fingerprints: Mapping[str, str]) -> list[str]:
    """Return the tasks that failed, or for which a stage is missing, in the order of `fingerprints`."""
    built = [stage.built(out, fingerprints) for stage in STAGES]
    return [task for task in fingerprints if not all(task in tasks for tasks in built)]


def failures(out: OutputLayout, fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Return the sentence for each task that failed, that of the first stage which failed."""
    found = [stage.failed(out, fingerprints) for stage in reversed(STAGES)]
    merged = {task: sentence for failed in found for task, sentence in failed.items()}
    return {task: merged[task] for task in fingerprints if task in merged}


def earlier_failures(out: OutputLayout, fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Return the sentence for each task that failed before the stage `tokens`."""
    return REPORTS.failed(out, fingerprints) | COLLECTED.failed(out, fingerprints)


def prune(out: OutputLayout, fingerprints: Mapping[str, str]) -> None:
    """Remove whatever belongs to tasks, or to fingerprints of tasks, that no longer exist."""
    in_use = {name for stage in STAGES for name in stage.prune(out, fingerprints)}
    for path in out.pieces.iterdir() if out.pieces.is_dir() else ():
        if path.name not in in_use and path.is_file():
            path.unlink(missing_ok=True)
