"""The batched event log where a batch cannot be stored, and after it was closed or emptied."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from seta_dag.defs.instance import batched_event_log
from seta_dag.defs.instance.batched_event_log import BatchedEventLog
from seta_dag_tests.support.event_logs import batch, partitions

SIZE = 40


@pytest.fixture
def log(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchedEventLog]:
    """The event log of a fresh instance, with less patience."""
    monkeypatch.setitem(batched_event_log._ANY_THREAD, "timeout", 0.1)
    log = BatchedEventLog(str(home / "history" / "runs"))
    log.store_event_batch(batch("run", 0, SIZE))
    yield log
    log.dispose()


@contextmanager
def locked(log: BatchedEventLog, shard: str) -> Iterator[None]:
    with closing(sqlite3.connect(log.path_for_shard(shard), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def full(log: BatchedEventLog, shard: str) -> Iterator[None]:
    """A disk with room for the first events of a batch."""
    with log._connect(shard) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    yield
    with log._connect(shard) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")


ERRORS: dict[str, Callable[[BatchedEventLog], AbstractContextManager[None]]] = {
    "the index is locked": lambda log: locked(log, "index"),
    "the run's database is locked": lambda log: locked(log, "run"),
    "the disk is full": lambda log: full(log, "index"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_a_batch_that_cannot_be_stored_leaves_nothing_and_the_log_usable(
    error: str, log: BatchedEventLog
) -> None:
    before = partitions(log)
    with ERRORS[error](log), pytest.raises(OperationalError, match=r"database (?:is locked|or disk is full)"):
        log.store_event_batch(batch("run", 1, 1000))
    assert partitions(log) == partitions(log, "run") == before
    log.store_event_batch(batch("run", 1, SIZE))
    assert len(partitions(log)) == len(partitions(log, "run")) == 2 * SIZE


def test_a_disposed_log_holds_nothing_open_and_stores_on(log: BatchedEventLog) -> None:
    beside = Path(log.path_for_shard("index") + "-wal")  # SQLite removes it when the last one closes
    for at in (1, 2):
        assert beside.exists()
        log.dispose()
        assert not beside.exists()
        log.store_event_batch(batch("run", at, SIZE))
    assert len(partitions(log)) == 3 * SIZE


def test_a_wiped_log_stores_on(log: BatchedEventLog) -> None:
    log.wipe()
    assert partitions(log) == partitions(log, "run") == []
    log.store_event_batch(batch("run", 1, SIZE))
    assert len(partitions(log)) == len(partitions(log, "run")) == SIZE
