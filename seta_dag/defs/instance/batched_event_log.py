"""SQLite event log that stores a batch of events in one transaction.

Dagster's own stores them one by one, each with new connections and commits: about 36 ms for every
partition of every asset, against half a millisecond here. The index stays open; a run's own database is
closed after each use, as the UI waits for that file to change. The base class is private, so
`event_log` looks whether it is the one known here before it makes this.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import Any

from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, func, select
from sqlalchemy.event import listen
from sqlalchemy.pool import NullPool, Pool, StaticPool

_ANY_THREAD = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}


class BatchedEventLog(SqliteEventLogStorage):
    """Used by several threads and processes at once, as the stock class is."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._one_at_a_time = threading.RLock()
        self._begun: dict[str, Connection] = {}
        self._engines: dict[tuple[int, str], Engine] = {}
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """A transaction on that database; inside of one, the same again, so that both end together."""
        with self._one_at_a_time:
            if shard in self._begun:
                yield self._begun[shard]
                return
            with self._engine(shard).begin() as connection:
                self._begun[shard] = connection
                try:
                    yield connection
                finally:
                    del self._begun[shard]

    def _engine(self, shard: str) -> Engine:
        """The engine of a database, made once for those in use.

        SQLite forbids to use or to close in a forked process what its parent opened: each has its own.
        """
        process = os.getpid()
        if (process, shard) not in self._engines:
            for of, other in list(self._engines):
                if of == process and other != INDEX_SHARD_NAME:
                    del self._engines[of, other]
            self._engines[process, shard] = self._new_engine(shard)
        engine = self._engines[process, shard]
        if shard not in self._initialized_dbs:  # which `wipe` empties
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine

    def _new_engine(self, shard: str) -> Engine:
        pool: type[Pool] = StaticPool if shard == INDEX_SHARD_NAME else NullPool
        path = self.conn_string_for_shard(shard)
        engine = create_engine(path, poolclass=pool, connect_args=_ANY_THREAD)
        listen(engine, "connect", _does_not_wait_for_the_disk)
        return engine

    def dispose(self) -> None:
        """Closes the index too; it is opened again if there is more to store."""
        super().dispose()
        with self._one_at_a_time:
            for process, shard in list(self._engines):
                if process == os.getpid():
                    self._engines.pop((process, shard)).dispose()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Stores all of them or, if that fails or is killed, none: in the index at least, which decides
        what is materialized and is committed last.

        The index is locked first, and by every batch: two that write to the same runs cannot hold
        each other up.
        """
        with ExitStack() as transactions:
            index = transactions.enter_context(self._connect(INDEX_SHARD_NAME))
            index.exec_driver_sql("BEGIN IMMEDIATE")
            for run_id in dict.fromkeys(event.run_id for event in events):
                transactions.enter_context(self._connect(run_id))
            for of_assets, together in groupby(events, _is_asset_event):
                if of_assets:
                    self._store_asset_events(list(together))
                else:  # planned checks: few, and with tables of their own
                    for event in together:
                        self.store_event(event)

    def _store_asset_events(self, events: Sequence[EventLogEntry]) -> None:
        rows = [self._event_to_row(event) for event in events]
        for run_id, of_run in groupby(rows, lambda row: row["run_id"]):
            with self.run_connection(run_id) as connection:
                connection.execute(SqlEventLogStorageTable.insert(), list(of_run))
        with self.index_transaction() as connection:
            ids = _insert(connection, rows)
            self._store_asset_event_tags(connection, events, ids)
            for at in _last_of_each_kind(events):
                self._store_asset_event(connection, events[at], ids[at])


def _does_not_wait_for_the_disk(connection: Any, _: object) -> None:
    """A power cut may then lose the last events, never the database; the files under OUT decide anyway."""
    connection.execute("PRAGMA synchronous=NORMAL")


def _insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """Gives the rows' ids: SQLite counts on from the highest, and nobody else writes meanwhile."""
    connection.execute(SqlEventLogStorageTable.insert(), rows)
    last: int = connection.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
    return range(last - len(rows) + 1, last + 1)


def _last_of_each_kind(events: Sequence[EventLogEntry]) -> list[int]:
    """Where the last event of each kind stands for each asset: what is known of an asset follows these."""
    found = [event.get_dagster_event() for event in events]
    last = {(event.asset_key, event.event_type_value): at for at, event in enumerate(found)}
    return sorted(last.values())


def _is_asset_event(event: EventLogEntry) -> bool:
    dagster_event = event.dagster_event
    return (
        dagster_event is not None
        and dagster_event.event_type in ASSET_EVENTS
        and dagster_event.asset_key is not None
    )
