"""Directory listings that never miss a trial, and the search for runs (rule R1, docs/rules.md)."""

from __future__ import annotations

import os
import re
from heapq import heappop, heappush
from pathlib import Path
from typing import NamedTuple

from seta_dag.errors import ConfigError
from seta_dag.rollouts.json_reader import LEADS_NOWHERE, clean

TRIALS = "trials"
"""Name of the directory that makes the directory above it a run."""


class _Route(NamedTuple):
    """One way to reach a directory. Routes sort by preference: fewest links first, then by name.

    Attributes:
        links: number of links to directories on the way.
        names: names below the root, in order.
        real: the absolute path without links.
    """

    links: int
    names: tuple[str, ...]
    real: str


def list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of a directory in no order, empty if there is no such directory.

    Raises:
        ConfigError: the directory cannot be read, so it may contain trials that would be missed.
    """
    try:
        # With read but no search permission, listing works and gives names that cannot be opened. The
        # "/." needs search permission, so this fails here instead of missing what is below.
        with os.scandir(f"{folder}/.") as entries:
            return list(entries)
    except OSError as error:
        if error.errno in LEADS_NOWHERE:
            return []
        raise ConfigError(
            f"{clean(str(folder))}: cannot be read ({error.strerror}), but may contain trials; grant read"
            " permission, or exclude it by selecting other runs by path, as in --runs 'experiment/*'"
        ) from error


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a directory or a link to one; True if that cannot be determined."""
    try:
        return entry.is_dir()
    except OSError as error:
        # Counting it leads to an error about it later. Ignoring it would lose trials silently.
        return error.errno not in LEADS_NOWHERE


def is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file or a link to one; True if that cannot be determined."""
    try:
        return entry.is_file()
    except OSError as error:
        return error.errno not in LEADS_NOWHERE


def run_paths(root: Path, pattern: str) -> list[str]:
    """Return the relative paths of all directories at or below `root` that contain `trials/`.

    `trials/` itself is not searched. Links are followed, except to a directory that contains the root.
    If several paths lead to the same run, it has the one with the fewest links; of these, the smallest.
    The root itself is ".". Paths are in no particular order.

    Args:
        root: where to search.
        pattern: glob that selects runs. It only decides which unreadable directories matter; the
            result is not filtered.

    Raises:
        ConfigError: a directory cannot be read, and a run that matches `pattern` could be in it.
    """
    top = os.path.realpath(root)
    found: list[tuple[_Route, str]] = []  # route of each run, and the real path of its trials/
    visited: set[str] = set()
    queue = [_Route(0, (), top)]
    # Best-first search: the first route that arrives at a real path is the best one, so each directory
    # is listed once, and loops of links end.
    while queue:
        route = heappop(queue)
        if route.real in visited:
            continue
        visited.add(route.real)
        for step in _subfolders(root, route, pattern):
            if step.names[-1] == TRIALS:
                found.append((route._replace(links=step.links), step.real))
            # A link to a directory above the root would lead to runs outside of it.
            elif step.links == route.links or not _contains(step.real, top):
                heappush(queue, step)
    # Several runs may have the same trials/ through a link. The one with the best route owns it.
    best: dict[str, tuple[str, ...]] = {}
    for route, trials in sorted(found):
        best.setdefault(trials, route.names)
    return ["/".join(names) or "." for names in best.values()]


def _subfolders(root: Path, route: _Route, pattern: str) -> list[_Route]:
    try:
        folders = [entry for entry in list_folder(root.joinpath(*route.names)) if is_folder(entry)]
    except ConfigError:
        if _could_match("/".join(route.names), pattern):
            raise
        return []
    return [_step(route, entry) for entry in folders]


def _step(route: _Route, entry: os.DirEntry[str]) -> _Route:
    # `route.real` has no links, so only a link needs realpath, which looks at every part of a path.
    path = os.path.join(route.real, entry.name)  # noqa: PTH118
    if entry.is_symlink():
        return _Route(route.links + 1, (*route.names, entry.name), os.path.realpath(path))
    return _Route(route.links, (*route.names, entry.name), path)


def _contains(folder: str, root: str) -> bool:
    return os.path.commonpath([folder, root]) == folder


def _could_match(folder: str, pattern: str) -> bool:
    """Return whether the glob could match the path or name of a run at or below `folder`."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]  # the part before the first wildcard
    if "/" not in fixed or not folder:
        return True  # a glob for names can match at any depth
    return f"{folder}/".startswith(fixed) or fixed.startswith(f"{folder}/")
