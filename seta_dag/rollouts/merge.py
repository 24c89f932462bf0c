"""All runs below the rollouts root, merged: every trial, which are canonical, each task's fingerprint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seta_dag.errors import NotBuiltError
from seta_dag.rollouts.fingerprint import task_fingerprint
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout, failed_rollouts
from seta_dag.rollouts.listing.trials import Trial, find_runs, list_trials
from seta_dag.rollouts.resume_chain import canonical, verified_on_disk
from seta_dag.store.atomic import read_memo, write_memo
from seta_dag.store.layout import existing


@dataclass(frozen=True, slots=True)
class Merged:
    """`trials` are all trial directories, by path; `canonical` holds the paths of the canonical ones.

    `fingerprints` has each task that has a trial directory, in the order of the task names.
    """

    runs: tuple[str, ...]
    trials: tuple[Trial, ...]
    canonical: frozenset[str]
    failed: tuple[FailedRollout, ...]
    fingerprints: Mapping[str, str]

    def of_task(self) -> dict[str, list[Trial]]:
        """The trials of each task, superseded ones too."""
        return _of_task(self.trials)


def merge_runs(root: Path, pattern: str, student: str) -> Merged:
    """Merges the runs at or below `root` (R1, R2). Raises `ConfigError` as `find_runs` does, and where
    the trials or the failed rollouts of a run can't be listed.

    `student` is what the rows depend on of the student; it counts in the fingerprints.
    """
    runs = find_runs(root, pattern)
    trials = tuple(sorted((trial for run in runs for trial in list_trials(root, run)), key=lambda t: t.path))
    tasks = sorted(_of_task(trials).items())
    fingerprints = {task: task_fingerprint(root, of_task, student) for task, of_task in tasks}
    # Read after the fingerprints: a report that comes in between is one more change for the next merge.
    chosen = frozenset(trial.path for trial in canonical(trials, verified_on_disk(root)))
    failed = tuple(failed_rollouts(root, runs, trials))
    return Merged(tuple(run.path for run in runs), trials, chosen, failed, fingerprints)


def _of_task(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    tasks: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        if trial.task_id is not None:
            tasks[trial.task_id].append(trial)
    return tasks


def write_merged(path: Path, merged: Merged) -> None:
    """Keeps the merge for the stages after it."""
    trials = [{**asdict(trial), "canonical": trial.path in merged.canonical} for trial in merged.trials]
    failed = [asdict(rollout) for rollout in merged.failed]
    fingerprints = dict(merged.fingerprints)
    write_memo(path, {"runs": merged.runs, "trials": trials, "failed": failed, "fingerprints": fingerprints})


def read_merged(path: Path) -> Merged:
    """The merge as it was kept. Raises `NotBuiltError` where there is none, or a damaged one."""
    kept: dict[str, Any] | None = read_memo(existing(path, "resume_chain"))
    if kept is None:
        raise NotBuiltError(f"{path}: damaged; run seta-dag build (or materialize resume_chain)")
    canonical_paths = set()
    trials = []
    for line in kept["trials"]:
        is_canonical = line.pop("canonical")
        trials.append(Trial(**line))
        canonical_paths |= {trials[-1].path} if is_canonical else set()
    failed = tuple(FailedRollout(**line) for line in kept["failed"])
    fingerprints = kept["fingerprints"]
    return Merged(tuple(kept["runs"]), tuple(trials), frozenset(canonical_paths), failed, fingerprints)
