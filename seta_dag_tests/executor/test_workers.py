"""Work on several threads, or later: in order, not far ahead, and none once nobody asks any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from itertools import count

import pytest

from seta_dag.executor import workers as module
from seta_dag.executor.workers import Deferred, cores, in_order

WORKERS = [1, 2, 4, None]


def stop(results: Iterator[int]) -> None:
    """Asks for no more of them."""
    assert isinstance(results, Generator)
    results.close()


@pytest.mark.parametrize("workers", WORKERS)
def test_results_stand_in_the_order_of_the_work(workers: int | None) -> None:
    def work(item: int) -> int:
        time.sleep(0.002 * (item % 3 == 0))  # some take longer than those after them
        return item * item

    assert list(in_order(work, range(40), workers)) == [item * item for item in range(40)]
    assert list(in_order(work, [], workers)) == []


@pytest.mark.parametrize("workers", [2, 4])
def test_as_many_work_at_once_as_there_are_workers(workers: int) -> None:
    together = threading.Barrier(workers, timeout=30)
    assert list(in_order(lambda _: together.wait() >= 0, range(2 * workers), workers)) == [True] * 2 * workers


@pytest.mark.parametrize("workers", WORKERS)
def test_what_one_raises_comes_out_at_its_place(workers: int | None) -> None:
    results = in_order(lambda item: 60 // (5 - item), range(9), workers)
    assert [next(results) for _ in range(5)] == [12, 15, 20, 30, 60]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


@pytest.mark.parametrize("workers", WORKERS)
def test_what_the_items_raise_comes_out_too(workers: int | None) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("no more")

    with pytest.raises(KeyError):
        list(in_order(str, items(), workers))


@pytest.mark.parametrize("workers", WORKERS)
def test_no_more_is_taken_and_done_than_a_few_ahead(workers: int | None) -> None:
    taken, ahead = count(), 2 * (workers or cores()) + 1
    results = in_order(lambda item: item, (next(taken) for _ in range(1000)), workers)
    for asked in range(1, 200):
        next(results)
        assert _peek(taken) <= asked + ahead
    stop(results)


def _peek(counter: count[int]) -> int:
    return int(repr(counter)[len("count(") : -1])


@pytest.mark.parametrize("workers", WORKERS)
def test_whoever_stops_early_leaves_no_thread_at_work(workers: int | None) -> None:
    threads, done = set(threading.enumerate()), []

    def work(item: int) -> int:
        time.sleep(0.01)
        done.append(item)
        return item

    results = in_order(work, range(1000), workers)
    assert next(results) == 0
    stop(results)
    assert set(threading.enumerate()) == threads
    finished = len(done)
    time.sleep(0.05)
    assert len(done) == finished <= 2 * (workers or cores()) + 1


def test_a_loop_that_raises_leaves_no_thread_at_work_either() -> None:
    threads = set(threading.enumerate())

    def consume() -> None:
        for result in in_order(lambda item: item, range(1000), 2):
            if result == 3:
                raise ValueError

    with pytest.raises(ValueError):
        consume()
    assert set(threading.enumerate()) == threads


def test_what_is_put_off_is_done_in_order_and_once() -> None:
    later, done = Deferred(), []
    for n in range(5):
        later.add(1, lambda n=n: done.append(n))  # type: ignore[misc]
    assert done == []
    later.run()
    later.run()
    assert done == [0, 1, 2, 3, 4]


def test_what_holds_much_memory_is_not_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_HELD", 100)
    later, done = Deferred(), []
    for n, held in enumerate([60, 40, 1, 60, 40, 200]):
        later.add(held, lambda n=n: done.append(n))  # type: ignore[misc]
        assert len(done) == [0, 0, 3, 3, 3, 6][n]
    assert done == [0, 1, 2, 3, 4, 5]
