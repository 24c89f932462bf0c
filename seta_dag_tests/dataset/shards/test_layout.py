"""How rows are cut into shards: by the tasks' names, so that a change stays where it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seta_dag.dataset.shards.layout import NEIGHBOURS, RowKey, ShardPlan, plan_shards

NAMES = st.lists(st.text("abc_é", min_size=1, max_size=6), unique=True, max_size=120)


def pieces(rows: Iterable[RowKey], other: RowKey | None = None) -> list[ShardPlan]:
    """The pieces of these rows; the content of `other` is not what it was."""
    lines: list[dict[str, Any]] = [{"task_id": task, "run": run, "trial_uid": uid} for task, run, uid in rows]
    contents = {row: "changed" if row == other else "content" for row in rows}
    return list(plan_shards(lines, contents, "thinking"))


def a_row_each(tasks: Iterable[str]) -> list[RowKey]:
    return [(task, "run", f"{task}_t0_ab") for task in tasks]


@given(NAMES)
def test_every_row_is_in_one_piece_in_order_of_the_tasks(tasks: list[str]) -> None:
    found = [row for piece in pieces(a_row_each(tasks)) for row in piece.rows]
    assert found == a_row_each(sorted(tasks))


@given(NAMES)
def test_no_piece_is_small_but_the_first_and_the_last(tasks: list[str]) -> None:
    sizes = [len(piece.rows) for piece in pieces(a_row_each(tasks))]
    assert all(size > NEIGHBOURS for size in sizes[1:-1])


def test_pieces_are_about_twice_as_large_as_that() -> None:
    sizes = [len(piece.rows) for piece in pieces(a_row_each(f"task_{i:05d}" for i in range(5000)))]
    assert 1.8 * NEIGHBOURS < sum(sizes) / len(sizes) < 2.4 * NEIGHBOURS
    assert max(sizes) < 6 * NEIGHBOURS


@given(NAMES.filter(lambda names: len(names) > 1), st.data())
def test_a_new_task_leaves_all_but_its_neighbours_as_they_are(tasks: list[str], data: st.DataObject) -> None:
    ordered = sorted(tasks)
    at = data.draw(st.integers(0, len(ordered) - 1))
    before = pieces(a_row_each(ordered[:at] + ordered[at + 1 :]))
    after = {piece.key for piece in pieces(a_row_each(ordered))}
    near = set(ordered[max(0, at - NEIGHBOURS - 1) : at + NEIGHBOURS + 2])
    assert all(piece.key in after for piece in before if near.isdisjoint(row[0] for row in piece.rows))


@given(NAMES.filter(bool), st.data())
def test_a_changed_row_changes_its_piece_alone(tasks: list[str], data: st.DataObject) -> None:
    changed = data.draw(st.sampled_from(a_row_each(tasks)))
    before, after = pieces(a_row_each(tasks)), pieces(a_row_each(tasks), changed)
    assert [old.rows for old in before] == [new.rows for new in after]
    assert all(
        (old.key == new.key) == (changed not in old.rows) for old, new in zip(before, after, strict=True)
    )


def test_the_rows_of_a_task_stay_together_in_order() -> None:
    rows = [("b", "run", "b_t1_ab"), ("b", "run", "b_t0_cd"), ("a", "run", "a_t0_ef")]
    assert [piece.rows for piece in pieces(rows)] == [(rows[2], rows[1], rows[0])]


def test_without_a_row_there_is_one_empty_piece() -> None:
    assert [piece.rows for piece in pieces([])] == [()]
