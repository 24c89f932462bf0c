"""Say in one sentence which file of a Dagster instance cannot be used, and what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import yaml

# Private, because it is a type; see `open`.
from dagster._core.instance.ref import InstanceRef

from seta_dag.errors import InstanceError

UNTOUCHED = "Datasets are not touched; to build without a record of the run, give --no-instance"

_LONGEST = 200  # characters of a foreign message


def instance_error(reference: InstanceRef, error: Exception) -> InstanceError:
    """Return the error to raise when the instance cannot be opened, read or written."""
    folder = _folder(reference)
    if "database or disk is full" in str(error):
        return InstanceError(
            f"{folder}: no space left for the record of the run; free some space. {UNTOUCHED}"
        )
    damaged = ((path, reason) for path in sorted(folder.rglob("*.db")) if (reason := _fault(path)))
    path, reason = next(damaged, (folder, " ".join(str(error).split())[:_LONGEST]))
    return InstanceError(
        f"{path}: Dagster's record of runs cannot be used ({reason}); move it away, and a new one is begun."
        f" {UNTOUCHED}"
    )


def _folder(reference: InstanceRef) -> Path:
    stored = reference.local_artifact_storage_data
    return Path(yaml.safe_load(stored.config_yaml)["base_dir"])


def _fault(path: Path) -> str | None:
    """Say what is wrong with a database, None if SQLite can read all of it."""
    if path.stat().st_size == 0:
        return "it is empty"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if found == "ok" else "its pages contradict each other"
