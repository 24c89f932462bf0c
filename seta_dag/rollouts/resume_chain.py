"""R2: of the trials of one (chain, task, trajectory), exactly one is canonical."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from seta_dag.rollouts.ctrf import read_report
from seta_dag.rollouts.listing.trials import Trial, run_at


def canonical(trials: Iterable[Trial], verified: Callable[[Trial], bool]) -> set[Trial]:
    """The canonical trial of each (chain, task, trajectory): the last verified one, else the last.

    Last is the latest run of the chain, within it the greatest uid. `verified` is asked only where
    there is a choice. Trials with a bad name are in no chain and never canonical.
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
    """Whether the trial's own report gives a reward (R3)."""
    return lambda trial: read_report(root / trial.path).reward is not None
