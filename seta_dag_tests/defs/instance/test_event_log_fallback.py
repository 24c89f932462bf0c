"""Where Dagster is not the one that batches were made for, its own event log takes over and says so."""

from __future__ import annotations

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
    """Dagster without what the batched event log imports, as if it were now imported for the first time."""

    def patched(patch: pytest.MonkeyPatch) -> None:
        patch.delitem(sys.modules, MODULE)
        patch.delattr(name)

    return patched


def one_more_parameter(patch: pytest.MonkeyPatch) -> None:
    def _store_asset_event(self: STOCK, conn: Any, event: Any, event_id: int, more: None = None) -> None:
        store_asset_event(self, conn, event, event_id)

    patch.setattr(STOCK, "_store_asset_event", _store_asset_event)


def a_method_of_another_name(patch: pytest.MonkeyPatch) -> None:
    patch.delattr(STOCK, "_connect")
    patch.setattr(STOCK, "_open", connect, raising=False)
    patch.setattr(STOCK, "run_connection", lambda self, run_id=None: self._open(run_id))
    patch.setattr(STOCK, "index_connection", lambda self: self._open(INDEX_SHARD_NAME))


def an_event_is_stored_otherwise(patch: pytest.MonkeyPatch) -> None:
    def store(self: STOCK, event: Any) -> None:
        store_event(self, event)
        self.has_table("new")

    patch.setattr(STOCK, "store_event", store)


CHANGES: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "another version": (another_version, "(made for 1.13.x)"),
    "a constant is gone": (
        without("dagster._core.storage.sqlite.SQLITE_BUSY_TIMEOUT_SECONDS"),
        "(cannot import name 'SQLITE_BUSY_TIMEOUT_SECONDS'",
    ),
    "a table is gone": (
        without("dagster._core.storage.event_log.schema.SqlEventLogStorageTable"),
        "(cannot import name 'SqlEventLogStorageTable'",
    ),
    "one more parameter": (one_more_parameter, "(changed: _store_asset_event)"),
    "a method of another name": (
        a_method_of_another_name,
        "(changed: _connect, index_connection, run_connection)",
    ),
    "an event is stored otherwise": (an_event_is_stored_otherwise, "(changed: store_event)"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_dagsters_own_event_log_takes_over_where_dagster_changed(
    change: str, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change_it, why = CHANGES[change]
    change_it(monkeypatch)
    with open_instance(home) as instance:
        assert type(instance.event_log_storage) is STOCK
        (warning,) = [said for said in caplog.records if said.name.startswith("seta_dag")]
        assert warning.levelname == "WARNING"
        assert why in warning.message and "slower, about 36 ms for every partition" in warning.message
        instance.add_dynamic_partitions("task", ["a"])
        assert run(instance).success
        assert statuses(instance, "second") == {"a": "materialized"}


def test_the_dagster_that_is_installed_is_known(
    on_disk: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    assert type(on_disk.event_log_storage) is BatchedEventLog
    assert not [said for said in caplog.records if said.name.startswith("seta_dag")]
