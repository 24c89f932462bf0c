"""The event log that `dagster.yaml` names: the batched one, or Dagster's own if Dagster has changed.

The batched event log overrides and calls private methods of Dagster, which may change with any release.
So each of them is checked first. A difference is not an error; builds only become slower.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import dagster as dg

# Private, because Dagster has no public base class for an event log; this is the class to fall back on.
from dagster._core.storage.event_log import SqliteEventLogStorage

if TYPE_CHECKING:
    # Private, because it is a type in the signature of `from_config_value`. It is not needed at run time.
    from dagster._serdes import ConfigurableClassData

PLACE = ("history", "runs")
"""Where Dagster keeps events below its home."""
_LOG = logging.getLogger(__name__)
_FALLBACK = (
    "seta_dag can't store events in batches with Dagster %s (%s); Dagster's own event log is used, which is"
    " slower: about 36 ms per partition and asset."
)
_BATCH_SIZE = "1000"
_SUPPORTED = "1.13."
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
"""Methods that the batched event log overrides or calls, and their parameters without `self`."""
# An overridden method is not called any more, so its replacement has to do the same. The names that a
# method's code uses are a cheap fingerprint of what it does, and unlike its bytecode they are the same in
# every version of Python.
_NAMES_USED = {
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
"""Names (attributes and globals) in the code of the methods that the batched event log replaces."""


class BatchedSqliteEventLog(SqliteEventLogStorage):
    """The name in `dagster.yaml`. It is never instantiated: it creates one of the two event logs."""

    @classmethod
    def config_type(cls) -> dict[str, dg.Field]:
        """Return the settings: `base_dir`, by default where Dagster's own event log is in DAGSTER_HOME."""
        return {"base_dir": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> SqliteEventLogStorage:
        """Create the batched event log or, if Dagster has changed, Dagster's own with one warning."""
        base_dir = config_value.get("base_dir") or str(Path(os.environ["DAGSTER_HOME"], *PLACE))
        try:
            _require_known_dagster()
            # Imported only now: the import itself fails if a name that it needs is gone.
            from seta_dag.defs.instance.batched_event_log import BatchedEventLog
        except ImportError as error:
            _LOG.warning(_FALLBACK, dg.__version__, error)
            return SqliteEventLogStorage(base_dir, inst_data)
        # Dagster's switch for batches is this variable; a value that the user has set is kept.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", _BATCH_SIZE)
        return BatchedEventLog(base_dir, inst_data)


def _require_known_dagster() -> None:
    """Raise `ImportError` if Dagster differs from the version that the batched event log is written for."""
    if not dg.__version__.startswith(_SUPPORTED):
        raise ImportError(f"supported: {_SUPPORTED}x")
    changed = [name for name in _PARAMETERS if not _is_unchanged(name)]
    if changed:
        raise ImportError(f"changed: {', '.join(changed)}")


def _is_unchanged(name: str) -> bool:
    """Return whether Dagster's class has this method with the expected parameters and names used."""
    # `unwrap`, because some of them are wrapped by `contextmanager` and other decorators.
    method = inspect.unwrap(getattr(SqliteEventLogStorage, name, None))  # type: ignore[arg-type]
    if not isinstance(method, FunctionType):
        return False
    parameters = [*inspect.signature(method).parameters][1:]
    used = {*method.__code__.co_names}
    # A method that is only called may change inside; its parameters are enough.
    expected = {*_NAMES_USED[name].split()} if name in _NAMES_USED else used
    return parameters == _PARAMETERS[name].split() and used == expected
