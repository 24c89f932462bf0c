"""The event log that dagster.yaml names: the batched one or, where Dagster is another, Dagster's own.

The batched one overrides and calls private methods. They may change with any release, so each is looked
at before; what is not as it was is no error, only slower.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

if TYPE_CHECKING:
    from dagster._serdes import ConfigurableClassData

_LOG = logging.getLogger(__name__)
_SLOWER = (
    "Dagster %s is not the one that seta_dag stores events in batches with (%s): its own event log takes"
    " over, which is slower, about 36 ms for every partition of every asset."
)
_BATCH = "1000"
_MADE_FOR = "1.13."
_PARAMETERS = {
    "__init__": "base_dir inst_data",
    "_connect": "shard",
    "_event_to_row": "event",
    "_initdb": "engine for_index_shard",
    "_store_asset_event": "conn event event_id",
    "_store_asset_event_tags": "conn events event_ids",
    "conn_string_for_shard": "shard_name",
    "dispose": "",
    "index_connection": "",
    "index_transaction": "",
    "run_connection": "run_id",
    "store_event": "event",
    "store_event_batch": "events",
}
"""What the batched event log overrides or calls, and with which parameters."""
_BODIES = {
    "_connect": "NullPool SQLITE_BUSY_TIMEOUT_SECONDS _db_lock _initdb _initialized_dbs add begin check"
    " connect conn_string_for_shard create_engine dispose str_param",
    "index_connection": "INDEX_SHARD_NAME _connect",
    "run_connection": "_connect",
    "store_event": "ASSET_CHECK_EVENTS ASSET_EVENTS DagsterInvariantViolationError"
    " EVENT_TYPE_TO_PIPELINE_RUN_STATUS EventLogEntry _store_asset_event _store_asset_event_tags check"
    " dagster_event_type db_result execute index_connection index_transaction inserted_primary_key"
    " inst_param is_dagster_event prepare_insert_event run_connection run_id store_asset_check_event",
    "store_event_batch": "store_event",
}
"""All that those methods name whose work the batched event log does in their place."""


class BatchedSqliteEventLog(SqliteEventLogStorage):
    """The name in dagster.yaml: it makes one of the two when Dagster opens the instance."""

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> SqliteEventLogStorage:
        """The batched event log, which Dagster then hands events in batches; or else Dagster's own."""
        try:
            _require_what_is_known()
            from seta_dag.defs.instance.batched_event_log import BatchedEventLog
        except ImportError as error:
            _LOG.warning(_SLOWER, dg.__version__, error)
            return SqliteEventLogStorage(inst_data=inst_data, **config_value)
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", _BATCH)
        return BatchedEventLog(inst_data=inst_data, **config_value)


def _require_what_is_known() -> None:
    """Raises `ImportError` where Dagster is not as it was."""
    if not dg.__version__.startswith(_MADE_FOR):
        raise ImportError(f"made for {_MADE_FOR}x")
    changed = [name for name in _PARAMETERS if not _is_known(name)]
    if changed:
        raise ImportError(f"changed: {', '.join(changed)}")


def _is_known(name: str) -> bool:
    """Whether the stock class has that method, with these parameters and, if it is replaced, that body."""
    method = inspect.unwrap(getattr(SqliteEventLogStorage, name, None))  # type: ignore[arg-type]
    if not isinstance(method, FunctionType):
        return False
    parameters = [*inspect.signature(method).parameters][1:]
    names = {*_BODIES[name].split()} if name in _BODIES else {*method.__code__.co_names}
    return parameters == _PARAMETERS[name].split() and names == {*method.__code__.co_names}
