"""Runs and trials, and what their names say (rules R1 and R2, docs/rules.md)."""

from __future__ import annotations

import fnmatch
import os
import re
from dataclasses import dataclass
from pathlib import Path

from seta_dag.errors import ConfigError
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.folders import TRIALS, is_folder, list_folder, run_paths

_UID = re.compile(r"(?P<task>.+)_t(?P<i>\d{1,18})_(?P<hash>[0-9a-f]+)")  # 18 digits fit in an int64
_RESUMED = re.compile(r"(?P<base>.+)_resume(?:_(?P<n>\d+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial directory.

    Attributes:
        chain: the resume chain of its run.
        run: path of its run, relative to the rollouts root; "." if the root itself is the run.
        uid: name of the directory.
        task_id: the task, None for a bad name.
        traj_i: trajectory number, None for a bad name.
    """

    chain: str
    run: str
    uid: str
    task_id: str | None
    traj_i: int | None

    @property
    def path(self) -> str:
        """Path of the directory, relative to the rollouts root."""
        return f"trials/{self.uid}" if self.run == "." else f"{self.run}/trials/{self.uid}"


@dataclass(frozen=True, slots=True)
class Run:
    """A directory that contains `trials/`.

    Attributes:
        path: path relative to the rollouts root; "." if the root itself is the run.
        chain: path without one trailing `_resume` or `_resume_<n>`.
        resumed: the n of that suffix; 0 without a suffix, 1 for a plain `_resume`.
    """

    path: str
    chain: str
    resumed: int

    @property
    def order(self) -> tuple[int, str]:
        """Sort key within the chain: by `resumed`, ties by path."""
        return self.resumed, self.path


def run_at(path: str) -> Run:
    """Return the run at `path`, which is relative to the rollouts root and uses `/`."""
    parent, _, name = path.rpartition("/")
    resumed = _RESUMED.fullmatch(name)
    base, n = (resumed["base"], int(resumed["n"] or 1)) if resumed else (name, 0)
    return Run(path, f"{parent}/{base}" if parent else base, n)


def find_runs(root: Path, pattern: str = "*") -> list[Run]:
    """Return the runs at or below `root` whose relative path or name matches a glob, sorted by path.

    A run that several paths lead to is returned once (see `run_paths`).

    Raises:
        ConfigError: `root` is not a directory, contains no run or none that matches, or a directory in
            it cannot be read; or the path of a run is not valid UTF-8, so that no row could hold it.
    """
    if not os.path.isdir(root):  # noqa: PTH112 - Path.is_dir raises if a directory above cannot be entered
        raise ConfigError(f"{root}: no such directory; give the directory that holds the rollouts")
    found = [run_at(path) for path in run_paths(root, pattern)]
    runs = [run for run in found if _matches(run.path, pattern)]
    if not found:
        raise ConfigError(f"{root}: contains no runs; a run is a directory with a trials/ directory in it")
    if not runs:
        raise ConfigError(f"{root}: none of its {len(found)} runs matches {pattern!r}; change --runs")
    for run in runs:
        if clean(run.path) != run.path:
            raise ConfigError(f"{root}: the path of run {clean(run.path)} is not valid UTF-8; rename it")
    return sorted(runs, key=lambda run: run.path)


def _matches(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path.rpartition("/")[2], pattern)


def list_trials(root: Path, run: Run) -> list[Trial]:
    """Return every trial directory of a run, sorted by uid, without image builds (`_build*`).

    Raises:
        ConfigError: the directory `trials/` of the run cannot be listed.
    """
    entries = list_folder(root / run.path / TRIALS)
    names = [entry.name for entry in entries if is_folder(entry)]
    return [_trial(run, name) for name in sorted(names) if not name.startswith("_build")]


def _trial(run: Run, name: str) -> Trial:
    uid = _UID.fullmatch(name)
    if uid is None or clean(name) != name:  # os.scandir gives bytes that are not UTF-8 as lone surrogates
        return Trial(run.chain, run.path, clean(name), None, None)
    return Trial(run.chain, run.path, name, uid["task"], int(uid["i"]))
