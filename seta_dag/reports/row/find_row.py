"""Find the row of one trial by its uid, its task or its directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seta_dag.dataset.ledger.ledger import read_ledger
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.errors import ConfigError, DatasetError
from seta_dag.store.layout import OutputLayout, existing
from seta_dag.store.parquet import opened
from seta_dag.tokens.variants import Variant


def find_line(out: OutputLayout, name: str) -> LedgerLine:
    """Find the ledger line of the only row that matches `name`.

    `name` is a trial uid, a task, or a trial directory relative to the rollouts root.

    Raises:
        ConfigError: nothing matches, several rows match, or what matches has no row.
        NotBuiltError: there is no ledger.
    """
    lines = [line for line in read_ledger(existing(out.ledger, "ledger")) if name in _names(line)]
    rows = [line for line in lines if line.disposition == "row"]
    if len(rows) == 1:
        return rows[0]
    if not lines:
        raise ConfigError(f"{name}: no trial, task or trial directory with that name in {out.ledger}")
    matches = "; ".join(map(_describe, rows or lines))
    raise ConfigError(
        f"{name} names {len(rows)} rows; give one trial's uid or directory: {matches}"
        if rows
        else f"{name} has no row; the ledger says: {matches}"
    )


def read_row(out: OutputLayout, variant: Variant, line: LedgerLine) -> pa.Table:
    """Read the row of a ledger line, as a table of one row with all columns of R10 (docs/rules.md).

    Raises:
        DatasetError: no shard has the row, or a shard is unreadable.
        NotBuiltError: the variant is not built.
    """
    dataset = existing(out.dataset(variant), f"{variant}_dataset")
    for path in shard_paths(dataset):
        # The slash keeps `x_t0_a` from matching a log of `x_t0_ab`.
        if (row := _row_in(path, f"{trial_path(line)}/")) is not None:
            return row
    raise DatasetError(f"{dataset}: no row of {trial_path(line)}, although the ledger has one; build again")


def trial_path(line: LedgerLine) -> str:
    """Return the trial directory, relative to the rollouts root, with `/` as separator."""
    run = "" if line.run == "." else f"{line.run}/"
    return f"{run}trials/{line.trial_uid}"


def _names(line: LedgerLine) -> tuple[Any, ...]:
    # A rollout that failed before it had a trial directory has no uid, and so no path.
    return line.trial_uid, line.task_id, line.trial_uid and trial_path(line)


def _describe(line: LedgerLine) -> str:
    named = trial_path(line) if line.trial_uid else f"{line.task_id} in {line.run}"
    why = ", ".join(word for word in (line.reason, line.detail) if word)
    return f"{named}: {line.disposition}{f', {why}' if why else ''}"


def _row_in(path: Path, folder: str) -> pa.Table | None:
    """Return the row whose log is below `folder`, None if the shard has none."""
    with opened(path, ROW_SCHEMA) as file:
        # One short column is read from every row group; all columns only from the group with the row.
        for group in range(file.num_row_groups):
            logs = file.read_row_group(group, ["conv_json_path"])["conv_json_path"]
            at = pc.index(pc.starts_with(logs, folder), True).as_py()
            if at >= 0:
                return file.read_row_group(group).slice(at, 1)
    return None
