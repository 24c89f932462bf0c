"""All runs below the rollouts root as one table: trials, canonical trials and fingerprints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson

from seta_dag.errors import NotBuiltError
from seta_dag.rollouts.fingerprint import task_fingerprint
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout, failed_rollouts
from seta_dag.rollouts.listing.trials import Trial, find_runs, list_trials
from seta_dag.rollouts.resume_chain import canonical, verified_on_disk
from seta_dag.store.layout import existing
from seta_dag.store.table import Content, Table


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


@dataclass(frozen=True, slots=True)
class _Line:
    """A trial in the table of the merge; trials with a bad name have no fingerprint."""

    trial: Trial
    canonical: bool
    fingerprint: str | None


_TABLE: Table[_Line] = Table(_Line)


def write_merged(path: Path, merged: Merged) -> None:
    """Write `merged` to `path`, for the stages that follow."""
    lines = [
        _Line(trial, trial.path in merged.canonical, merged.fingerprints.get(trial.task_id or ""))
        for trial in merged.trials
    ]
    _TABLE.write(path, lines, orjson.dumps({"runs": merged.runs, "failed": merged.failed}).decode())


def read_merged(path: Path) -> Merged:
    """Read what `write_merged` wrote to `path`.

    Raises:
        NotBuiltError: there is no such file, or it is damaged.
    """
    content = _TABLE.content(existing(path, "resume_chain"))
    if content is None:
        raise NotBuiltError(f"{path}: damaged; run seta-dag build (or materialize resume_chain)")
    return _merged(content)


@lru_cache(maxsize=2)  # every stage of a build asks for it
def _merged(content: Content) -> Merged:
    lines: tuple[_Line, ...] = content.rows
    note = orjson.loads(content.note)
    return Merged(
        runs=tuple(note["runs"]),
        trials=tuple(line.trial for line in lines),
        canonical=frozenset(line.trial.path for line in lines if line.canonical),
        failed=tuple(FailedRollout(**one) for one in note["failed"]),
        fingerprints=dict(sorted(_fingerprints(lines))),
    )


def _fingerprints(lines: Iterable[_Line]) -> Iterator[tuple[str, str]]:
    return (
        (line.trial.task_id, line.fingerprint)
        for line in lines
        if line.trial.task_id is not None and line.fingerprint is not None
    )
