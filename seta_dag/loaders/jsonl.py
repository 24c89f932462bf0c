"""A dataset as the reference's builder leaves it: one JSON object a line."""

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

_ROWS_AT_ONCE = 16
"""Keeps a batch of the longest rows, as Python objects, to some tens of megabytes."""


def export_jsonl(folder: Path, target: Path) -> int:
    """Writes the rows of the dataset in `folder` to `target`, and gives their number.

    Columns in the order of R10, rows in that of the shards, UTF-8, nothing escaped that JSON does not
    ask for. `target` appears when it is whole. Raises `DatasetError`.
    """
    shards = shard_paths(folder)
    if not shards:
        raise DatasetError(f"{folder}: no {SHARD_GLOB} in it; build the dataset first")
    n_rows = 0
    with written_aside(target) as aside, aside.open("wb") as file:
        for shard in shards:
            for rows in _rows(shard):
                file.writelines(orjson.dumps(row) + b"\n" for row in rows)
                n_rows += len(rows)
    return n_rows


def _rows(shard: Path) -> Iterator[list[dict[str, Any]]]:
    with opened(shard, ROW_SCHEMA) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            yield batch.to_pylist()
