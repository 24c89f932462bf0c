"""Partitions are tasks. They are dynamic: a new task appears without a code reload."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

import dagster as dg

TASKS = dg.DynamicPartitionsDefinition(name="task")
ONE_RUN = dg.BackfillPolicy.single_run()
"""On every asset, unpartitioned ones too: otherwise Dagster refuses a run over a range of tasks."""

_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"
_NOT_IN_A_KEY = re.compile(r"%|[\x00-\x1f\x7f]|\.\.\.")


def key_of(task: str) -> str:
    """The partition key of a task: its name, with what Dagster forbids in keys percent-encoded."""
    return _NOT_IN_A_KEY.sub(lambda found: "".join(f"%{ord(char):02X}" for char in found[0]), task)


def task_of(key: str) -> str:
    """The task of a partition key."""
    return unquote(key)


def registered(instance: dg.DagsterInstance) -> list[str]:
    """The tasks that the instance knows, in the order of their registration."""
    return [task_of(key) for key in instance.get_dynamic_partitions("task")]


def register(instance: dg.DagsterInstance, tasks: Iterable[str]) -> None:
    """Makes the instance's partitions those of `tasks`: new ones are added, tasks that are gone leave."""
    wanted, known = list(tasks), set(registered(instance))
    for task in known - set(wanted):
        instance.delete_dynamic_partition("task", key_of(task))
    instance.add_dynamic_partitions("task", [key_of(task) for task in wanted if task not in known])


def range_of(instance: dg.DagsterInstance, tasks: Sequence[str]) -> dict[str, str]:
    """The tags of one run over exactly `tasks`, scattered or not; all must be registered.

    A run carries one range in the order of registration. So tasks that do not stand together are
    registered again, at the end; their history hangs on the key and stays.
    """
    known, wanted = registered(instance), set(tasks)
    standing = [task for task in known if task in wanted]
    first = known.index(standing[0])
    if known[first : first + len(standing)] != standing:
        for task in standing:
            instance.delete_dynamic_partition("task", key_of(task))
        instance.add_dynamic_partitions("task", [key_of(task) for task in standing])
    return {_RANGE_START: key_of(standing[0]), _RANGE_END: key_of(standing[-1])}
