"""Listing folders so that no trial is lost: one that can't be listed is told, never passed over."""

from __future__ import annotations

import os
import re
from heapq import heappop, heappush
from pathlib import Path

from seta_dag.errors import ConfigError
from seta_dag.rollouts.json_reader import LEADS_NOWHERE, clean

TRIALS = "trials"

_Way = tuple[int, tuple[str, ...], str]
"""How a folder is reached: over how many links, its path's names, the real path that they lead to."""


def list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder, none where there is no folder. Raises `ConfigError` where it can't be read."""
    try:
        with os.scandir(f"{folder}/.") as entries:  # the dot: names without their files are not enough
            return list(entries)
    except OSError as error:
        if error.errno in LEADS_NOWHERE:
            return []
        raise ConfigError(
            f"{clean(str(folder))}: can't be read ({error.strerror}), and a trial could be in it; give read"
            " permission, or leave it out: name other runs by their path with --runs, as in 'experiment/*'"
        ) from error


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one. What can't be told counts, so that it is accounted for."""
    try:
        return entry.is_dir()
    except OSError as error:
        return error.errno not in LEADS_NOWHERE


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file or a link to one. What can't be told counts, so that it is accounted for."""
    try:
        return entry.is_file()
    except OSError as error:
        return error.errno not in LEADS_NOWHERE


def run_paths(root: Path, pattern: str) -> list[str]:
    """The folders at or below `root` that hold a `trials/` folder, which itself is not looked into.

    Links are followed, but not to a folder that holds the root. Of several paths to one folder counts
    the one with the fewest links, so the real one; among equals the smallest. Raises `ConfigError` for
    a folder that can't be read, unless no run in it could match the glob.
    """
    top = os.path.realpath(root)
    found: list[tuple[_Way, str]] = []
    seen: set[str] = set()
    todo: list[_Way] = [(0, (), top)]
    while todo:
        links, names, real = heappop(todo)
        if real in seen:
            continue
        seen.add(real)
        for way in _below(root, (links, names, real), pattern):
            if way[1][-1] == TRIALS:
                found.append(((way[0], names, real), way[2]))
            elif way[0] == links or not _holds(way[2], top):
                heappush(todo, way)
    first: dict[str, tuple[str, ...]] = {}
    for (_, names, _), trials in sorted(found):
        first.setdefault(trials, names)
    return ["/".join(names) or "." for names in first.values()]


def _below(root: Path, way: _Way, pattern: str) -> list[_Way]:
    links, names, real = way
    try:
        folders = [entry for entry in list_folder(root.joinpath(*names)) if is_folder(entry)]
    except ConfigError:
        if _could_match("/".join(names), pattern):
            raise
        return []
    return [_step(links, names, real, entry) for entry in folders]


def _step(links: int, names: tuple[str, ...], real: str, entry: os.DirEntry[str]) -> _Way:
    path = os.path.join(real, entry.name)  # noqa: PTH118 - a real path, so that only links are resolved
    if entry.is_symlink():
        return links + 1, (*names, entry.name), os.path.realpath(path)
    return links, (*names, entry.name), path


def _holds(folder: str, root: str) -> bool:
    return os.path.commonpath([folder, root]) == folder


def _could_match(folder: str, pattern: str) -> bool:
    """Whether the path or the name of a run at or below `folder` could match the glob."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    if "/" not in fixed or not folder:
        return True  # a glob on names can match anywhere
    return f"{folder}/".startswith(fixed) or fixed.startswith(f"{folder}/")
