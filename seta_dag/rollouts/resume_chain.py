"""Which of several trials for the same trajectory is canonical (rule R2, docs/rules.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from seta_dag.rollouts.ctrf import read_report
from seta_dag.rollouts.listing.trials import Trial, run_at


def canonical(trials: Iterable[Trial], verified: Callable[[Trial], bool]) -> set[Trial]:
    """Return one trial per (chain, task, trajectory): the last verified one, or else the last.

    "Last" means the latest run of the chain and, within a run, the greatest uid. Trials with a bad name
    are never canonical.

    Args:
        trials: trials of all runs, in any order.
        verified: returns whether a trial has a reward. Only called if there is a choice, because it
            reads a file.
    """
    groups: dict[tuple[str, str, int | None], list[Trial]] = defaultdict(list)
    for trial in trials:
        if trial.task_id is not None:
            groups[trial.chain, trial.task_id, trial.traj_i].append(trial)
    return {_last(group, verified) for group in groups.values()}


def _last(group: list[Trial], verified: Callable[[Trial], bool]) -> Trial:
    if len(group) == 1:
        return group[0]
    ordered = sorted(group, key=lambda trial: (run_at(trial.run).order, trial.uid), reverse=True)
    return next(filter(verified, ordered), ordered[0])


def verified_on_disk(root: Path) -> Callable[[Trial], bool]:
    """Return a function that reads whether the trial's own report gives a reward (rule R3)."""
    return lambda trial: read_report(root / trial.path).reward is not None
