"""Ordered results from worker threads, bounded read-ahead, clean shutdown, and deferred work."""

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
    """Close the generator early, as a consumer that needs no more results."""
    assert isinstance(results, Generator)
    results.close()


@pytest.mark.parametrize("workers", WORKERS)
def test_results_come_in_the_order_of_the_items(workers: int | None) -> None:
    def work(item: int) -> int:
        time.sleep(0.002 * (item % 3 == 0))  # every third item is slower than the next two
        return item * item

    assert list(in_order(work, range(40), workers)) == [item * item for item in range(40)]
    assert list(in_order(work, [], workers)) == []


@pytest.mark.parametrize("workers", [2, 4])
def test_all_workers_run_at_the_same_time(workers: int) -> None:
    # The barrier opens only when `workers` threads wait at it at once.
    barrier = threading.Barrier(workers, timeout=30)
    assert list(in_order(lambda _: barrier.wait() >= 0, range(2 * workers), workers)) == [True] * 2 * workers


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_in_the_work_is_raised_at_its_place(workers: int | None) -> None:
    results = in_order(lambda item: 60 // (5 - item), range(9), workers)
    assert [next(results) for _ in range(5)] == [12, 15, 20, 30, 60]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_in_the_iterator_of_items_is_raised(workers: int | None) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("no more")

    with pytest.raises(KeyError):
        list(in_order(str, items(), workers))


@pytest.mark.parametrize("workers", WORKERS)
def test_only_a_few_items_are_taken_ahead(workers: int | None) -> None:
    taken, ahead = count(), 2 * (workers or cores()) + 1
    results = in_order(lambda item: item, (next(taken) for _ in range(1000)), workers)
    for consumed in range(1, 200):
        next(results)
        assert _peek(taken) <= consumed + ahead
    stop(results)


def _peek(counter: count[int]) -> int:
    """Return the counter's next value without advancing it."""
    return int(repr(counter)[len("count(") : -1])


@pytest.mark.parametrize("workers", WORKERS)
def test_stopping_early_leaves_no_thread_running(workers: int | None) -> None:
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


def test_an_error_in_the_consumer_leaves_no_thread_running() -> None:
    threads = set(threading.enumerate())

    def consume() -> None:
        for result in in_order(lambda item: item, range(1000), 2):
            if result == 3:
                raise ValueError

    with pytest.raises(ValueError):
        consume()
    assert set(threading.enumerate()) == threads


def test_deferred_work_runs_once_and_in_order() -> None:
    deferred, done = Deferred(), []
    for n in range(5):
        deferred.add(1, lambda n=n: done.append(n))  # type: ignore[misc]
    assert done == []
    deferred.run()
    deferred.run()
    assert done == [0, 1, 2, 3, 4]


def test_deferred_work_runs_early_when_it_holds_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_HELD", 100)
    deferred, done = Deferred(), []
    for n, held in enumerate([60, 40, 1, 60, 40, 200]):
        deferred.add(held, lambda n=n: done.append(n))  # type: ignore[misc]
        assert len(done) == [0, 0, 3, 3, 3, 6][n]
    assert done == [0, 1, 2, 3, 4, 5]
