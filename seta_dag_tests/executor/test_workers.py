"""Work in this process and in others: results, errors, an early end, and workers that are killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError, WorkerLostError
from seta_dag.executor.completed import completed
from seta_dag.executor.in_process import InProcess
from seta_dag.executor.process_pool import ProcessPool
from seta_dag.executor.workers import Workers, cores, parse_workers
from seta_dag_tests.support.processes import is_alive
from seta_dag_tests.support.work import Kill, leave_mark, reciprocal, square


@pytest.fixture(params=["1", "2", "4"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """One worker in this process, then two and four processes."""
    found = parse_workers(request.param)
    yield found
    found.close()


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    """Two processes."""
    found = ProcessPool(2)
    yield found
    found.close()


def test_setting_names_the_workers() -> None:
    assert isinstance(parse_workers("1"), InProcess)
    assert parse_workers("3").count == 3
    assert parse_workers("").count == cores() >= 1


@pytest.mark.parametrize("text", ["0", "00", "-1", "1.5", "two", " 2", "2,", "1e3", "Dask:tcp://a:1", "ray:"])
def test_other_settings_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"workers .*: give a number of processes"):
        parse_workers(text)


def test_every_item_has_its_result(workers: Workers) -> None:
    for _ in range(2):  # the workers are opened once
        with completed(workers, square, range(50)) as done:
            assert sorted(done) == [(item, item * item) for item in range(50)]


def test_no_items_open_no_workers(workers: Workers) -> None:
    with completed(workers, square, []) as done:
        assert list(done) == []


def test_what_the_work_raises_is_raised_and_the_workers_go_on(workers: Workers) -> None:
    with pytest.raises(ZeroDivisionError), completed(workers, reciprocal, range(9, -200, -1)) as done:
        list(done)
    with completed(workers, reciprocal, [2]) as done:
        assert list(done) == [(2, 0.5)]


def test_work_in_this_process_is_reported_one_by_one(tmp_path: Path) -> None:
    with completed(InProcess(), leave_mark, [tmp_path / str(item) for item in range(9)]) as done:
        for number, _ in enumerate(done, 1):
            assert len(list(tmp_path.iterdir())) == number


def test_nothing_begins_or_goes_on_after_an_early_end(workers: Workers, tmp_path: Path) -> None:
    with completed(workers, leave_mark, [tmp_path / str(item) for item in range(500)]) as done:
        _, process = next(done)
    begun = len(list(tmp_path.iterdir()))
    assert begun <= 3 * workers.count
    workers.close()
    assert len(list(tmp_path.iterdir())) == begun
    assert process == os.getpid() or not is_alive(process)


def test_killed_worker_costs_a_retry(pool: ProcessPool, tmp_path: Path) -> None:
    items = [*range(20), Kill(tmp_path / "killed", 1), *range(20, 40)]
    with completed(pool, square, items) as done:
        results = dict(done)
    assert results == {items[20]: 0} | {item: item * item for item in range(40)}
    assert (tmp_path / "killed").read_bytes() == b"."


def test_work_that_kills_its_worker_is_lost_alone(pool: ProcessPool, tmp_path: Path) -> None:
    bad = [Kill(tmp_path / name, 99) for name in ("one", "other")]
    items = [*bad, *range(20)]
    with completed(pool, square, items) as done:
        results = dict(done)
    assert {item: results[item] for item in range(20)} == {item: item * item for item in range(20)}
    for item in bad:
        assert isinstance(results[item], WorkerLostError)
        assert str(results[item]) == "its worker was killed 3 times"
        assert len(item.record.read_bytes()) <= 3
    with completed(pool, square, [3]) as done:
        assert list(done) == [(3, 9)]
