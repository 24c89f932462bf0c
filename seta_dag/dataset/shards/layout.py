"""Names of the shards, and which rows each of them contains.

Boundaries depend on the names of the tasks, not on their number, so that a new task leaves most shards
unchanged (rule R12, docs/rules.md).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import orjson

from seta_dag.executor.pieces import ends
from seta_dag.store.layout import FORMAT_VERSION

SHARD_GLOB = "data/train-*.parquet"
"""Matches the shards of a dataset, relative to its directory; the Hub derives the split from this form."""

NEIGHBOURS = 16
"""A shard ends after each task whose name has the lowest hash among this many tasks before and after it.

That gives 33 tasks per shard on average, at least 17 except at both ends, and seldom more than 60.
"""

RowKey = tuple[str, str, str]
"""(task id, run, trial uid)"""


def shard_paths(dataset: Path) -> list[Path]:
    """Return the shards in a dataset's directory, in order; empty if there are none."""
    return sorted(dataset.glob(SHARD_GLOB))


def shard_names(n: int) -> list[str]:
    """Return the paths of the shards of a dataset with `n` of them, relative to its directory."""
    return [f"data/train-{i:05d}-of-{n:05d}.parquet" for i in range(n)]


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """The rows of one shard that is to be written.

    Attributes:
        rows: keys of the rows, sorted.
        key: hex sha256 of the variant and of the rows' keys and contents; changes if any row does.
    """

    rows: tuple[RowKey, ...]
    key: str


def plan_shards(rows: Iterable[RowKey], contents: Mapping[RowKey, str], variant: str) -> Iterator[ShardPlan]:
    """Divide the rows into shards, with tasks in order and no task in two shards.

    `rows` are in any order, and `contents` identifies the content of each. Without rows, there
    is one empty shard.
    """
    by_task: dict[str, list[RowKey]] = defaultdict(list)
    for row in rows:
        by_task[row[0]].append(row)
    tasks = sorted(by_task)
    for start, end in pairwise([0, *ends(tasks, NEIGHBOURS), len(tasks)]):
        # The last task can itself end a shard, and [len, len) is then empty. Without any task, that empty
        # range is the dataset: `load_dataset` needs a file to read the columns from.
        if start < end or not tasks:
            shard_rows = [row for task in tasks[start:end] for row in sorted(by_task[task])]
            yield _plan(shard_rows, contents, variant)


def _plan(rows: list[RowKey], contents: Mapping[RowKey, str], variant: str) -> ShardPlan:
    content = [FORMAT_VERSION, variant, [(*row, contents[row]) for row in rows]]
    return ShardPlan(tuple(rows), hashlib.sha256(orjson.dumps(content)).hexdigest())
