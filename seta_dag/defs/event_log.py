"""SQLite event log that stores a batch of asset events in one transaction.

Dagster's own stores them one by one: about 36 ms for every partition of every asset, against 1.5 ms
here. The base class is private, so Dagster is pinned and a test holds both to the same result.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData

_BATCH = "1000"


class BatchedSqliteEventLog(SqliteEventLogStorage):
    """Named in dagster.yaml; any other event log works too, only slower."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> BatchedSqliteEventLog:
        """Made when Dagster opens the instance; from then on Dagster hands events over in batches."""
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", _BATCH)
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Stores asset events together; anything else goes the usual way."""
        if not all(_is_asset_event(event) for event in events):
            super().store_event_batch(events)
            return
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
        with self.index_transaction() as connection:
            inserts = (SqlEventLogStorageTable.insert().values(**row) for row in rows)
            ids = [connection.execute(insert).inserted_primary_key[0] for insert in inserts]  # type: ignore[index]
            self._store_asset_event_tags(connection, events, ids)
            latest = {
                event.get_dagster_event().asset_key: (event, id_)
                for event, id_ in zip(events, ids, strict=True)
            }
            for event, id_ in latest.values():
                self._store_asset_event(connection, event, id_)


def _is_asset_event(event: EventLogEntry) -> bool:
    dagster_event = event.dagster_event
    return (
        dagster_event is not None
        and dagster_event.event_type in ASSET_EVENTS
        and dagster_event.asset_key is not None
    )
