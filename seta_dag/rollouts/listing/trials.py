"""R1: which directories are runs and trials, and which rollouts failed before they made one."""

from __future__ import annotations

import fnmatch
import os
import re
from dataclasses import dataclass
from pathlib import Path

from seta_dag.errors import ConfigError
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.folders import TRIALS, is_folder, list_folder, run_paths

_UID = re.compile(r"(?P<task>.+)_t(?P<i>\d{1,18})_(?P<hash>[0-9a-f]+)")  # 18 digits: an int64
_RESUMED = re.compile(r"(?P<base>.+)_resume(?:_(?P<n>\d+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial directory. `run` is relative to the rollouts root; `task_id` is None for a bad name."""

    chain: str
    run: str
    uid: str
    task_id: str | None
    traj_i: int | None

    @property
    def path(self) -> str:
        """Where it lies, relative to the rollouts root."""
        return f"trials/{self.uid}" if self.run == "." else f"{self.run}/trials/{self.uid}"


@dataclass(frozen=True, slots=True)
class Run:
    """A directory with a `trials/` folder. Runs of one chain are ordered by (`resumed`, `path`)."""

    path: str
    chain: str
    resumed: int

    @property
    def order(self) -> tuple[int, str]:
        """Its place in the chain: the n of `_resume_<n>`, ties by name."""
        return self.resumed, self.path


def run_at(path: str) -> Run:
    """The run at `path` (relative to the root, posix), with its chain: the name less one `_resume[_n]`."""
    parent, _, name = path.rpartition("/")
    resumed = _RESUMED.fullmatch(name)
    base, n = (resumed["base"], int(resumed["n"] or 1)) if resumed else (name, 0)
    return Run(path, f"{parent}/{base}" if parent else base, n)


def find_runs(root: Path, pattern: str = "*") -> list[Run]:
    """All runs at or below `root` whose relative path or name matches the glob, by path.

    A run that several paths lead to is one run (`run_paths`). Raises `ConfigError` where there is no such
    directory, no run in it, one whose path no row can hold, or a folder that can't be read.
    """
    if not os.path.isdir(root):  # noqa: PTH112 - Path.is_dir raises where a folder above can't be entered
        raise ConfigError(f"{root}: no such directory; give the directory that holds the rollouts")
    found = [run_at(path) for path in run_paths(root, pattern)]
    runs = [run for run in found if _matches(run.path, pattern)]
    if not found:
        raise ConfigError(f"{root}: no run in it; a run is a directory with a trials/ folder")
    if not runs:
        raise ConfigError(f"{root}: none of its {len(found)} runs matches {pattern!r}")
    for run in runs:
        if clean(run.path) != run.path:
            raise ConfigError(f"{root}: the run {clean(run.path)} has a name that is not UTF-8; rename it")
    return sorted(runs, key=lambda run: run.path)


def _matches(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path.rpartition("/")[2], pattern)


def list_trials(root: Path, run: Run) -> list[Trial]:
    """Every trial directory of a run, by uid; `_build*` is skipped, a bad name has no task.

    Raises `ConfigError` where they can't be listed.
    """
    entries = list_folder(root / run.path / TRIALS)
    names = [entry.name for entry in entries if is_folder(entry)]
    return [_trial(run, name) for name in sorted(names) if not name.startswith("_build")]


def _trial(run: Run, name: str) -> Trial:
    uid = _UID.fullmatch(name)
    if uid is None or clean(name) != name:  # bytes that are not UTF-8 come as lone surrogates
        return Trial(run.chain, run.path, clean(name), None, None)
    return Trial(run.chain, run.path, name, uid["task"], int(uid["i"]))
