"""All runs below the rollouts root as one table: trials, canonical trials and fingerprints."""

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
    """Everything that was found below the rollouts root.

    Paths are relative to the root, with `/` between the names.

    Attributes:
        runs: paths of the runs, sorted.
        trials: all trial directories, sorted by path.
        canonical: paths of the canonical trials (rule R2).
        failed: rollouts that left no trial directory (rule R1).
        fingerprints: fingerprint of each task that has a trial directory, sorted by task name.
    """

    runs: tuple[str, ...]
    trials: tuple[Trial, ...]
    canonical: frozenset[str]
    failed: tuple[FailedRollout, ...]
    fingerprints: Mapping[str, str]

    def of_task(self) -> dict[str, list[Trial]]:
        """Return the trials of each task, including superseded ones."""
        return _by_task(self.trials)


def merge_runs(root: Path, pattern: str, student: str) -> Merged:
    """Merge the runs at or below `root` (rules R1 and R2).

    Args:
        root: the rollouts root.
        pattern: glob for the name or relative path of runs.
        student: identifies everything about the student that the rows depend on; part of the fingerprints.

    Raises:
        ConfigError: `find_runs` raises it, or the trials or failed rollouts of a run cannot be listed.
    """
    runs = find_runs(root, pattern)
    trials = tuple(sorted((trial for run in runs for trial in list_trials(root, run)), key=lambda t: t.path))
    tasks = sorted(_by_task(trials).items())
    fingerprints = {task: task_fingerprint(root, of_task, student) for task, of_task in tasks}
    # Reports are read after the fingerprints: one that is written in between has changed its task by the
    # time of the next merge. The other way round, the task would keep its old canonical trial.
    chosen = frozenset(trial.path for trial in canonical(trials, verified_on_disk(root)))
    failed = tuple(failed_rollouts(root, runs, trials))
    return Merged(tuple(run.path for run in runs), trials, chosen, failed, fingerprints)


def _by_task(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    tasks: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        if trial.task_id is not None:  # a bad name belongs to no task
            tasks[trial.task_id].append(trial)
    return tasks


def write_merged(path: Path, merged: Merged) -> None:
    """Write `merged` to `path`, for the stages that follow."""
    trials = [{**asdict(trial), "canonical": trial.path in merged.canonical} for trial in merged.trials]
    failed = [asdict(rollout) for rollout in merged.failed]
    fingerprints = dict(merged.fingerprints)
    write_memo(path, {"runs": merged.runs, "trials": trials, "failed": failed, "fingerprints": fingerprints})


def read_merged(path: Path) -> Merged:
    """Read what `write_merged` wrote to `path`.

    Raises:
        NotBuiltError: there is no such file, or it is damaged.
    """
    document: dict[str, Any] | None = read_memo(existing(path, "resume_chain"))
    if document is None:
        raise NotBuiltError(f"{path}: damaged; run seta-dag build (or materialize resume_chain)")
    canonical_paths = set()
    trials = []
    for line in document["trials"]:
        is_canonical = line.pop("canonical")
        trials.append(Trial(**line))
        if is_canonical:
            canonical_paths.add(trials[-1].path)
    failed = tuple(FailedRollout(**line) for line in document["failed"])
    fingerprints = document["fingerprints"]
    return Merged(tuple(document["runs"]), tuple(trials), frozenset(canonical_paths), failed, fingerprints)
