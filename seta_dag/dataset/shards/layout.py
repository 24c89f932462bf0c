"""Which rows stand together in a shard: decided by the tasks' own names, not by how many there are."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson

from seta_dag.store.layout import FORMAT_VERSION

NEIGHBOURS = 16
"""A shard ends after each task whose name hashes lower than those of this many tasks before and after
it: 33 tasks a shard on average, never fewer than 17 but at the ends, seldom over 60."""


RowKey = tuple[str, str, str]
"""(task, run, trial uid)"""


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """The rows of one shard; `key` is another whenever the content of one of them is."""

    rows: tuple[RowKey, ...]
    key: str


def plan_shards(
    rows: Sequence[Mapping[str, Any]], contents: Mapping[RowKey, str], variant: str
) -> Iterator[ShardPlan]:
    """Tasks in order, cut where their names say so: a new task changes its own piece, seldom another."""
    of_task: dict[str, list[RowKey]] = defaultdict(list)
    for line in rows:
        of_task[line["task_id"]].append((line["task_id"], line["run"], line["trial_uid"]))
    tasks = sorted(of_task)
    for start, end in pairwise([0, *_ends(tasks), len(tasks)]):
        if start < end or not tasks:
            rows_of_piece = [row for task in tasks[start:end] for row in sorted(of_task[task])]
            yield _piece(rows_of_piece, contents, variant)


def _ends(tasks: Sequence[str]) -> Iterator[int]:
    """Where a shard ends: a position depends on the names of the tasks around it alone."""
    marks = [hashlib.sha256(task.encode()).digest() for task in tasks]
    for at, mark in enumerate(marks):
        if mark == min(marks[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1]):
            yield at + 1


def _piece(rows: list[RowKey], contents: Mapping[RowKey, str], variant: str) -> ShardPlan:
    content = [FORMAT_VERSION, variant, [(*row, contents[row]) for row in rows]]
    return ShardPlan(tuple(rows), hashlib.sha256(orjson.dumps(content)).hexdigest())
