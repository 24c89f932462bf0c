"""One trial's row among the shards, found by the names that people know it by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seta_dag.dataset.ledger.ledger import LedgerLine, read_ledger
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.errors import ConfigError, DatasetError
from seta_dag.store.layout import OutputLayout, existing
from seta_dag.store.parquet import opened
from seta_dag.tokens.variants import Variant


def find_line(out: OutputLayout, name: str) -> LedgerLine:
    """The ledger's line of the one row that `name` names: a trial uid, a task, or a trial directory
    relative to the rollouts root.

    Raises `ConfigError` where there is none, where what there is became no row, or several did.
    """
    lines = [line for line in read_ledger(existing(out.ledger, "ledger")) if name in _names(line)]
    rows = [line for line in lines if line["disposition"] == "row"]
    if len(rows) == 1:
        return rows[0]
    if not lines:
        raise ConfigError(f"{name}: no trial, task or trial directory of that name in {out.ledger}")
    told = "\n".join(f"  {_told(line)}" for line in rows or lines)
    raise ConfigError(
        f"{name} names {len(rows)} rows; give one trial's uid or directory:\n{told}"
        if rows
        else f"{name} is no row; the ledger says:\n{told}"
    )


def read_row(out: OutputLayout, variant: Variant, line: LedgerLine) -> pa.Table:
    """The row of a ledger's line, as a table of one row with every column of R10. Raises `DatasetError`."""
    dataset = existing(out.dataset(variant), f"{variant}_dataset")
    for path in shard_paths(dataset):
        if (row := _row_in(path, f"{trial_path(line)}/")) is not None:
            return row
    raise DatasetError(f"{dataset}: no row of {trial_path(line)}, though the ledger has it; build again")


def trial_path(line: LedgerLine) -> str:
    """The trial directory, relative to the rollouts root."""
    run = "" if line["run"] == "." else f"{line['run']}/"
    return f"{run}trials/{line['trial_uid']}"


def _names(line: LedgerLine) -> tuple[Any, ...]:
    return line["trial_uid"], line["task_id"], line["trial_uid"] and trial_path(line)


def _told(line: LedgerLine) -> str:
    named = trial_path(line) if line["trial_uid"] else f"{line['task_id']} in {line['run']}"
    why = ", ".join(line[column] for column in ("reason", "detail") if line[column])
    return f"{named}: {line['disposition']}{f', {why}' if why else ''}"


def _row_in(path: Path, folder: str) -> pa.Table | None:
    """The row of a shard whose log lies below `folder`. Of the row group that holds it all is read."""
    with opened(path, ROW_SCHEMA) as file:
        for group in range(file.num_row_groups):
            logs = file.read_row_group(group, ["conv_json_path"])["conv_json_path"]
            at = pc.index(pc.starts_with(logs, folder), True).as_py()
            if at >= 0:
                return file.read_row_group(group).slice(at, 1)
    return None
