"""Which rows stand together in a shard: decided by the tasks' own names, not by how many there are."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

TASKS_A_SHARD = 32
"""Expected number; a shard ends after each task whose name hashes to 0 modulo this."""
_FORMAT = "1"  # raise it when the written form changes, so that kept shards are written again


RowKey = tuple[str, str, str]
"""(task, run, trial uid)"""


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows of one shard; `key` is another whenever the content of one of them is."""

    rows: tuple[RowKey, ...]
    key: str


def cut(rows: Sequence[Mapping[str, Any]], contents: Mapping[RowKey, str], variant: str) -> Iterator[Piece]:
    """Tasks in order, cut after those whose own name says so: a new task changes one piece only."""
    of_task: dict[str, list[RowKey]] = defaultdict(list)
    for line in rows:
        of_task[line["task_id"]].append((line["task_id"], line["run"], line["trial_uid"]))
    piece: list[RowKey] = []
    tasks = sorted(of_task)
    for task in tasks:
        piece += sorted(of_task[task])
        if _ends_shard(task) or task == tasks[-1]:
            yield _piece(piece, contents, variant)
            piece = []
    if not tasks:
        yield _piece([], contents, variant)


def _ends_shard(task: str) -> bool:
    return int.from_bytes(hashlib.sha256(task.encode()).digest()[:4]) % TASKS_A_SHARD == 0


def _piece(rows: list[RowKey], contents: Mapping[RowKey, str], variant: str) -> Piece:
    content = [_FORMAT, variant, [(*row, contents[row]) for row in rows]]
    return Piece(tuple(rows), hashlib.sha256(orjson.dumps(content)).hexdigest())
