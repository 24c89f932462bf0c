"""Open the Dagster instance that a build is recorded in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

# Private, because only a reference can have other settings than the file; see `_NO_CAPTURE`.
from dagster._core.instance.ref import InstanceRef
from sqlalchemy.exc import SQLAlchemyError

from seta_dag.defs.instance.damage import UNTOUCHED, instance_error
from seta_dag.defs.instance.event_log import PLACE
from seta_dag.defs.instance.home import SETTINGS, instance_home
from seta_dag.defs.partitions import TASKS
from seta_dag.errors import InstanceError
from seta_dag.store.layout import OutputLayout

_NO_CAPTURE: dict[str, Any] = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
"""What a build prints belongs to its terminal. To capture it as well, Dagster would start four processes per
step, of which two print a traceback at Ctrl-C."""


@contextmanager
def open_instance(out: OutputLayout, keep: bool = True) -> Iterator[dg.DagsterInstance]:
    """Yield the instance that builds into `out` are recorded in, see `instance_home`.

    Without `keep`, it is one in memory, which forgets the run.

    Raises:
        ConfigError: DAGSTER_HOME is not the absolute path of a folder.
        InstanceError: the instance cannot be opened, or the block could not read or write it.
    """
    if not keep:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
        return
    reference = _reference(instance_home(out))
    with ExitStack() as stack:
        try:
            instance = stack.enter_context(dg.DagsterInstance.from_ref(reference))
            _touch(instance)
        except Exception as error:  # of the database, the file system, or Dagster itself
            raise instance_error(reference, error) from error
        try:
            yield instance
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise instance_error(reference, error) from error


def _reference(home: Path) -> InstanceRef:
    try:
        return InstanceRef.from_dir(str(home), overrides=_NO_CAPTURE | _event_log(home))
    except Exception as error:  # each part of the settings has errors of its own
        raise InstanceError(
            f"{home / SETTINGS}: not settings that Dagster can use; correct them, or move the file away."
            f" {UNTOUCHED}"
        ) from error


def _event_log(home: Path) -> dict[str, Any]:
    """Say where the event log of `settings.yaml` is; in other processes DAGSTER_HOME says it."""
    settings = yaml.safe_load((home / SETTINGS).read_bytes()) if (home / SETTINGS).is_file() else None
    found = settings.get("event_log_storage") if isinstance(settings, dict) else None
    if not isinstance(found, dict) or "config" in found:
        return {}
    return {"event_log_storage": found | {"config": {"base_dir": str(home.joinpath(*PLACE))}}}


def _touch(instance: dg.DagsterInstance) -> None:
    """Read from every database that a build uses, so that a damaged one is found before anything is built."""
    instance.get_runs(limit=1)
    instance.get_dynamic_partitions(TASKS.name or "")
    instance.get_latest_materialization_event(dg.AssetKey("ledger"))
