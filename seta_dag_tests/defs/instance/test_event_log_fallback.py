"""If Dagster has changed, its own event log is used, with a warning."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME

from seta_dag.defs.instance.batched_event_log import BatchedEventLog
from seta_dag_tests.support.builds import open_instance, statuses
from seta_dag_tests.support.event_logs import run

pytestmark = pytest.mark.filterwarnings("ignore:.*backfill_policy")

MODULE = "seta_dag.defs.instance.batched_event_log"
STOCK = SqliteEventLogStorage
store_event, store_asset_event, connect = STOCK.store_event, STOCK._store_asset_event, STOCK._connect


def another_version(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dg, "__version__", "1.14.0")


def without(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Return a patch that removes a name, and makes the batched event log be imported again."""

    def patched(patch: pytest.MonkeyPatch) -> None:
        patch.delitem(sys.modules, MODULE)
        patch.delattr(name)

    return patched


def new_parameter(patch: pytest.MonkeyPatch) -> None:
    def _store_asset_event(self: STOCK, conn: Any, event: Any, event_id: int, more: None = None) -> None:
        store_asset_event(self, conn, event, event_id)

    patch.setattr(STOCK, "_store_asset_event", _store_asset_event)


def renamed_method(patch: pytest.MonkeyPatch) -> None:
    patch.delattr(STOCK, "_connect")
    patch.setattr(STOCK, "_open", connect, raising=False)
    patch.setattr(STOCK, "run_connection", lambda self, run_id=None: self._open(run_id))
    patch.setattr(STOCK, "index_connection", lambda self: self._open(INDEX_SHARD_NAME))


def changed_method(patch: pytest.MonkeyPatch) -> None:
    def store(self: STOCK, event: Any) -> None:
        store_event(self, event)
        self.has_table("new")

    patch.setattr(STOCK, "store_event", store)


CHANGES: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "another version": (another_version, "(supported: 1.13.x)"),
    "missing constant": (
        without("dagster._core.storage.sqlite.SQLITE_BUSY_TIMEOUT_SECONDS"),
        "(cannot import name 'SQLITE_BUSY_TIMEOUT_SECONDS'",
    ),
    "missing table": (
        without("dagster._core.storage.event_log.schema.SqlEventLogStorageTable"),
        "(cannot import name 'SqlEventLogStorageTable'",
    ),
    "new parameter": (new_parameter, "(changed: _store_asset_event)"),
    "renamed method": (
        renamed_method,
        "(changed: _connect, index_connection, run_connection)",
    ),
    "changed method": (changed_method, "(changed: store_event)"),
}


def own_records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the log records of seta_dag itself."""
    return [record for record in caplog.records if record.name.startswith("seta_dag")]


@pytest.mark.parametrize("change", CHANGES)
def test_dagsters_own_event_log_is_used_if_dagster_changed(
    change: str, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    patch, reason = CHANGES[change]
    patch(monkeypatch)
    with open_instance(home) as instance:
        assert type(instance.event_log_storage) is STOCK
        (warning,) = own_records(caplog)
        assert warning.levelname == "WARNING"
        assert reason in warning.message and "slower: about 36 ms per partition" in warning.message
        instance.add_dynamic_partitions("task", ["a"])
        assert run(instance).success
        assert statuses(instance, "second") == {"a": "materialized"}


def test_installed_dagster_is_supported(
    on_disk: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    assert type(on_disk.event_log_storage) is BatchedEventLog
    assert not own_records(caplog)
