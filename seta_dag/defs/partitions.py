"""Tasks as partitions. They are dynamic: a new task appears without reloading the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

import dagster as dg

TASKS = dg.DynamicPartitionsDefinition(name="task")
"""Partitions of the assets that are built per task."""

ONE_RUN = dg.BackfillPolicy.single_run()
"""On every asset, unpartitioned ones too: otherwise Dagster refuses a run over a range of tasks."""

_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"
# Dagster forbids most control characters in keys, and `...`, which separates the ends of a range. Percent
# signs are encoded so that decoding is unambiguous.
_FORBIDDEN = re.compile(r"%|[\x00-\x1f\x7f]|\.\.\.")


def key_of(task: str) -> str:
    """Return the partition key of a task: its name, percent-encoded where Dagster forbids characters."""
    return _FORBIDDEN.sub(lambda match: "".join(f"%{ord(char):02X}" for char in match[0]), task)


def task_of(key: str) -> str:
    """Return the task of a partition key; the inverse of `key_of`."""
    return unquote(key)


def registered(instance: dg.DagsterInstance) -> list[str]:
    """Return the tasks that the instance knows, in the order of their registration."""
    return [task_of(key) for key in instance.get_dynamic_partitions("task")]


def register(instance: dg.DagsterInstance, tasks: Iterable[str]) -> None:
    """Register exactly `tasks`: add new ones, and delete those that are not among them.

    Tasks that were registered before keep their order.
    """
    wanted, known = list(tasks), set(registered(instance))
    for task in known - set(wanted):
        instance.delete_dynamic_partition("task", key_of(task))
    instance.add_dynamic_partitions("task", [key_of(task) for task in wanted if task not in known])


def range_of(instance: dg.DagsterInstance, tasks: Sequence[str]) -> dict[str, str]:
    """Return the tags that make one run build exactly `tasks`; all of them must be registered.

    A run has a single range, in the order of registration. If `tasks` are not consecutive, they are
    registered again, which moves them to the end. Their history is attached to the key and stays.
    """
    known, wanted = registered(instance), set(tasks)
    in_order = [task for task in known if task in wanted]
    first = known.index(in_order[0])
    if known[first : first + len(in_order)] != in_order:
        for task in in_order:
            instance.delete_dynamic_partition("task", key_of(task))
        instance.add_dynamic_partitions("task", [key_of(task) for task in in_order])
    return {_RANGE_START: key_of(in_order[0]), _RANGE_END: key_of(in_order[-1])}
