"""Pieces depend on the names of the tasks only, and mostly on those nearby."""

from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from seta_dag.executor.pieces import NEIGHBOURS, cut

TASKS = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=60)


@given(TASKS)
def test_each_task_is_in_one_piece_in_order(tasks: list[str]) -> None:
    pieces = cut(tasks)
    assert list(chain(*pieces)) == sorted(tasks)
    assert all(pieces)


@given(TASKS, st.randoms())
def test_order_in_which_tasks_come_makes_no_difference(tasks: list[str], random: object) -> None:
    shuffled = list(tasks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert cut(shuffled) == cut(tasks)


@given(TASKS, st.text(min_size=1, max_size=8))
def test_new_task_changes_only_pieces_nearby(tasks: list[str], new: str) -> None:
    before, after = cut(set(tasks) - {new}), cut({*tasks, new})
    ordered = sorted({*tasks, new})
    near = ordered.index(new)
    nearby = set(ordered[max(0, near - 2 * NEIGHBOURS - 1) : near + 2 * NEIGHBOURS + 2])
    for piece in before:
        assert piece in after or nearby & set(piece)


def test_new_task_changes_a_piece_or_two_of_many() -> None:
    tasks = [f"task_{number:04}" for number in range(1000)]
    pieces = cut(tasks)
    assert 6 < len(tasks) / len(pieces) < 12
    changed = []
    for number in range(0, 1000, 37):
        after = {tuple(piece) for piece in cut([*tasks, f"task_{number:04}_new"])}
        changed.append(sum(tuple(piece) not in after for piece in pieces))
    assert max(changed) <= 3
    assert sum(changed) / len(changed) < 1.7
