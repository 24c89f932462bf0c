"""Tasks as dynamic partitions: every task has a key, and any set of tasks can be one range."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster import PartitionKeyRange
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.defs.partitions import TASKS, key_of, range_of, register, registered, task_of

NAMES = [
    "a",
    "b",
    "tâche_日本語",
    "x_t1_y",
    "50%",
    "%41",
    "a...b",
    "UPPER",
    "new\nline",
    "py3.11",
    "a[b]",
    "c,d",
]


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """Return one instance in memory for all examples; each example registers its own tasks."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def in_range(instance: dg.DagsterInstance, tags: dict[str, str]) -> list[str]:
    """Return the tasks of a run with these tags, as Dagster itself reads the range."""
    start, end = (tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        keys = TASKS.get_partition_keys_in_range(PartitionKeyRange(start, end))
    return [task_of(key) for key in keys]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_task_name_has_a_unique_key_that_dagster_accepts(
    instance: dg.DagsterInstance, task: str
) -> None:
    instance.add_dynamic_partitions("task", [key_of(task)])
    instance.delete_dynamic_partition("task", key_of(task))
    assert task_of(key_of(task)) == task


@given(known=st.permutations(NAMES), chosen=st.sets(st.sampled_from(NAMES), min_size=1))
def test_range_contains_exactly_the_given_tasks(
    instance: dg.DagsterInstance, known: list[str], chosen: set[str]
) -> None:
    register(instance, [])
    register(instance, known)
    assert registered(instance) == known
    tasks = in_range(instance, range_of(instance, sorted(chosen)))
    assert sorted(tasks) == sorted(chosen)
    assert sorted(registered(instance)) == sorted(NAMES)


@given(known=st.permutations(NAMES), at=st.integers(0, 11), length=st.integers(1, 12))
def test_consecutive_tasks_keep_their_place(
    instance: dg.DagsterInstance, known: list[str], at: int, length: int
) -> None:
    register(instance, [])
    register(instance, known)
    range_of(instance, known[at : at + length])
    assert registered(instance) == known


@given(
    before=st.lists(st.sampled_from(NAMES), unique=True), after=st.lists(st.sampled_from(NAMES), unique=True)
)
def test_register_leaves_exactly_the_given_tasks(
    instance: dg.DagsterInstance, before: list[str], after: list[str]
) -> None:
    register(instance, [])
    register(instance, before)
    register(instance, after)
    assert sorted(registered(instance)) == sorted(after)
    # Tasks that were registered before keep their order, and come before the new ones.
    known = [task for task in before if task in after]
    assert registered(instance)[: len(known)] == known
