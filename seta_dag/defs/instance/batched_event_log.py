"""SQLite event log that stores a batch of events in one transaction.

Dagster's own event log stores each event with new connections and commits: about 36 ms per partition and
asset, against 0.4 ms here. The connection to the index stays open. The database of a run is closed after
each use, because the UI waits for that file to change.

The base class is private. `event_log` checks it before it imports this module.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import Any

from dagster import EventLogEntry

# Private, because the rows of a batch must be those that Dagster's own class would write: its base class,
# its table, its list of the events that belong into the index, and its time to wait for a lock.
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS

# Private, because it is a type in the signature of `__init__`.
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, func, select
from sqlalchemy.event import listen
from sqlalchemy.pool import NullPool, Pool, StaticPool

# SQLite's own check allows only the thread that opened a connection; `_lock` lets one thread in at a time.
_CONNECT_ARGS = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}


class BatchedEventLog(SqliteEventLogStorage):
    """Event log that commits batches. Threads and processes can use it at once, as Dagster's own."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # Reentrant, because storing a batch opens transactions inside of transactions. Assigned before
        # `super().__init__`, which may connect already.
        self._lock = threading.RLock()
        self._open_transactions: dict[str, Connection] = {}  # by shard
        self._engines: dict[tuple[int, str], Engine] = {}  # by process id and shard
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Begin a transaction on a shard; inside of one, continue it, so that both end together."""
        with self._lock:
            if shard in self._open_transactions:
                yield self._open_transactions[shard]
                return
            with self._engine(shard).begin() as connection:
                self._open_transactions[shard] = connection
                try:
                    yield connection
                finally:
                    del self._open_transactions[shard]

    def _engine(self, shard: str) -> Engine:
        """Return this process's engine of a shard; create it and its tables if necessary.

        SQLite does not allow a forked process to use or close a connection that its parent opened, so
        each process has engines of its own.
        """
        process = os.getpid()
        if (process, shard) not in self._engines:
            # Only the index and the last run stay: a process can write to many runs. Engines of
            # the parent stay too, because dropping them would close their connections.
            for owner, other in list(self._engines):
                if owner == process and other != INDEX_SHARD_NAME:
                    del self._engines[owner, other]
            self._engines[process, shard] = self._new_engine(shard)
        engine = self._engines[process, shard]
        # Apart from the check above, because `wipe` deletes the databases and empties this set.
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine

    def _new_engine(self, shard: str) -> Engine:
        # One connection that stays open, or a new one for each use.
        pool: type[Pool] = StaticPool if shard == INDEX_SHARD_NAME else NullPool
        path = self.conn_string_for_shard(shard)
        engine = create_engine(path, poolclass=pool, connect_args=_CONNECT_ARGS)
        listen(engine, "connect", _set_synchronous_normal)
        return engine

    def dispose(self) -> None:
        """Close the connection to the index too. It is opened again if there is more to store."""
        super().dispose()
        with self._lock:
            for process, shard in list(self._engines):
                if process == os.getpid():  # those of a parent process are not ours to close
                    self._engines.pop((process, shard)).dispose()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all events, or none if this fails or the process is killed.

        "None" is true of the index, which decides what is materialized and is committed last. A process
        killed between two commits leaves the events in the database of the run only.
        """
        with ExitStack() as transactions:
            # Every batch locks the index first, so two batches of the same runs cannot deadlock. SQLite
            # would otherwise take the lock at the first write.
            index = transactions.enter_context(self._connect(INDEX_SHARD_NAME))
            index.exec_driver_sql("BEGIN IMMEDIATE")
            for run_id in dict.fromkeys(event.run_id for event in events):
                transactions.enter_context(self._connect(run_id))
            # Consecutive events of a kind are stored together, so the order and the ids stay those that
            # Dagster's own event log would give.
            for is_asset_event, group in groupby(events, _is_asset_event):
                if is_asset_event:
                    self._store_asset_events(list(group))
                else:  # such as planned checks: rare, and with tables of their own
                    for event in group:
                        self.store_event(event)

    def _store_asset_events(self, events: Sequence[EventLogEntry]) -> None:
        rows = [self._event_to_row(event) for event in events]
        for run_id, group in groupby(rows, lambda row: row["run_id"]):
            with self.run_connection(run_id) as connection:
                connection.execute(SqlEventLogStorageTable.insert(), list(group))
        with self.index_transaction() as connection:
            ids = _insert(connection, rows)
            self._store_asset_event_tags(connection, events, ids)
            for i in _last_of_each_kind(events):
                self._store_asset_event(connection, events[i], ids[i])


def _set_synchronous_normal(connection: Any, _: object) -> None:
    """Do not wait for the disk at every commit.

    A power cut may then lose the last events, but never damages the database. The files under the output
    directory decide what is built anyway.
    """
    connection.execute("PRAGMA synchronous=NORMAL")


def _insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """Insert the rows and return their ids."""
    connection.execute(SqlEventLogStorageTable.insert(), rows)
    # An insert of many rows returns no ids. They are consecutive up to the highest: SQLite counts on from
    # there, and this transaction holds the lock, so nobody else inserts.
    last: int = connection.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
    return range(last - len(rows) + 1, last + 1)


def _last_of_each_kind(events: Sequence[EventLogEntry]) -> list[int]:
    """Return the indices of the last event of each kind per asset.

    Dagster stores one row per asset that each event overwrites, so the earlier events make no difference.
    """
    found = [event.get_dagster_event() for event in events]
    last = {(event.asset_key, event.event_type_value): i for i, event in enumerate(found)}
    return sorted(last.values())


def _is_asset_event(event: EventLogEntry) -> bool:
    dagster_event = event.dagster_event
    return (
        dagster_event is not None
        and dagster_event.event_type in ASSET_EVENTS
        and dagster_event.asset_key is not None
    )
