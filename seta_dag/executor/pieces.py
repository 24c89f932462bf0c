"""Divide tasks into pieces, by their names only: a new task changes the piece that it falls into."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

NEIGHBOURS = 4
"""A piece ends with the task whose hash is the lowest among this many on each side: 9 tasks on average."""


def cut(tasks: Iterable[str], neighbours: int = NEIGHBOURS) -> list[list[str]]:
    """Return the pieces in order, each a list of tasks in order; no piece is empty."""
    ordered = sorted(tasks)
    bounds = pairwise([0, *ends(ordered, neighbours), len(ordered)])
    return [ordered[start:end] for start, end in bounds if start < end]


def ends(tasks: Sequence[str], neighbours: int) -> Iterator[int]:
    """Yield the exclusive end of each piece but the last, as an index into the sorted `tasks`."""
    hashes = [hashlib.sha256(task.encode()).digest() for task in tasks]
    for i, digest in enumerate(hashes):
        # A local minimum depends on nearby names only; a new task can't move boundaries further away.
        if digest == min(hashes[max(0, i - neighbours) : i + neighbours + 1]):
            yield i + 1
