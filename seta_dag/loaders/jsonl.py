"""Export a dataset as JSON lines, the format that the reference's builder writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.dataset.shards.layout import SHARD_GLOB, shard_paths
from seta_dag.errors import DatasetError
from seta_dag.store.atomic import written_aside
from seta_dag.store.parquet import opened

# With this size, a batch of the longest rows takes tens of megabytes as Python objects.
_ROWS_PER_BATCH = 16


def export_jsonl(folder: Path, target: Path) -> int:
    """Write the rows of the dataset in `folder` to `target`, one JSON object per line.

    Columns are in the order of Rule R10 (docs/rules.md), rows in that of the shards. The text is UTF-8 and
    only what JSON requires is escaped. `target` is replaced when all rows are written, never before.

    Returns:
        The number of rows.

    Raises:
        DatasetError: `folder` has no shards, or one of them is unreadable or was not written by a build.
        OutputError: `target` cannot be written.
    """
    shards = shard_paths(folder)
    if not shards:
        raise DatasetError(f"{folder}: no {SHARD_GLOB} in it; build the dataset first")
    n_rows = 0
    with written_aside(target) as temporary, temporary.open("wb") as file:
        for shard in shards:
            for rows in _batches(shard):
                file.writelines(orjson.dumps(row) + b"\n" for row in rows)
                n_rows += len(rows)
    return n_rows


def _batches(shard: Path) -> Iterator[list[dict[str, Any]]]:
    with opened(shard, ROW_SCHEMA) as file:
        for batch in file.iter_batches(_ROWS_PER_BATCH):
            yield batch.to_pylist()
