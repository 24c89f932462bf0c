"""Shard boundaries depend on task names alone, so a change stays local."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from seta_dag.dataset.shards.layout import NEIGHBOURS, RowKey, ShardPlan, plan_shards

NAMES = st.lists(st.text("abc_é", min_size=1, max_size=6), unique=True, max_size=120)


def plan(rows: Iterable[RowKey], changed: RowKey | None = None) -> list[ShardPlan]:
    """Plan the shards of these rows; the row `changed` gets other content than the rest."""
    contents = {row: "changed" if row == changed else "content" for row in rows}
    return list(plan_shards(rows, contents, "thinking"))


def one_row_per_task(tasks: Iterable[str]) -> list[RowKey]:
    return [(task, "run", f"{task}_t0_ab") for task in tasks]


@given(NAMES)
def test_each_row_is_in_exactly_one_shard_in_task_order(tasks: list[str]) -> None:
    planned = [row for shard in plan(one_row_per_task(tasks)) for row in shard.rows]
    assert planned == one_row_per_task(sorted(tasks))


@given(NAMES)
def test_only_the_first_and_last_shard_may_be_small(tasks: list[str]) -> None:
    sizes = [len(shard.rows) for shard in plan(one_row_per_task(tasks))]
    assert all(size > NEIGHBOURS for size in sizes[1:-1])


def test_shards_average_about_twice_the_minimum_size() -> None:
    sizes = [len(shard.rows) for shard in plan(one_row_per_task(f"task_{i:05d}" for i in range(5000)))]
    assert 1.8 * NEIGHBOURS < sum(sizes) / len(sizes) < 2.4 * NEIGHBOURS
    assert max(sizes) < 6 * NEIGHBOURS


@given(NAMES.filter(lambda names: len(names) > 1), st.data())
def test_a_new_task_changes_only_shards_near_it(tasks: list[str], data: st.DataObject) -> None:
    ordered = sorted(tasks)
    at = data.draw(st.integers(0, len(ordered) - 1))
    before = plan(one_row_per_task(ordered[:at] + ordered[at + 1 :]))
    after = {shard.key for shard in plan(one_row_per_task(ordered))}
    near = set(ordered[max(0, at - NEIGHBOURS - 1) : at + NEIGHBOURS + 2])
    assert all(shard.key in after for shard in before if near.isdisjoint(row[0] for row in shard.rows))


@given(NAMES.filter(bool), st.data())
def test_a_changed_row_changes_only_the_key_of_its_shard(tasks: list[str], data: st.DataObject) -> None:
    changed = data.draw(st.sampled_from(one_row_per_task(tasks)))
    before, after = plan(one_row_per_task(tasks)), plan(one_row_per_task(tasks), changed)
    assert [old.rows for old in before] == [new.rows for new in after]
    assert all(
        (old.key == new.key) == (changed not in old.rows) for old, new in zip(before, after, strict=True)
    )


def test_the_rows_of_a_task_stay_together_sorted_by_uid() -> None:
    rows = [("b", "run", "b_t1_ab"), ("b", "run", "b_t0_cd"), ("a", "run", "a_t0_ef")]
    assert [shard.rows for shard in plan(rows)] == [(rows[2], rows[1], rows[0])]


def test_no_rows_give_one_empty_shard() -> None:
    assert [shard.rows for shard in plan([])] == [()]
