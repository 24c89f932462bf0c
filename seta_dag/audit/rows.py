"""Read the rows of anyone's dataset: a folder of shards, one Parquet file, or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from seta_dag.errors import DatasetError
from seta_dag.loaders.columns import require_columns, shards_in
from seta_dag.store.parquet import opened

# Rows hold lists of up to 100,000 Python ints, so a batch is kept small.
_ROWS_PER_BATCH = 32


def read_rows(source: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a dataset in order, with only these columns.

    `source` is a folder with shards, a Parquet file, or a file of JSON lines.

    Raises:
        DatasetError: there are no shards, or a file is unreadable or lacks a column.
    """
    if source.suffix == ".jsonl" and source.is_file():
        yield from _lines(source, columns)
        return
    for shard in _files(source):
        with opened(shard) as file:
            require_columns(shard, file, columns)
            for batch in file.iter_batches(_ROWS_PER_BATCH, columns=list(columns)):
                yield from batch.to_pylist()


def count_rows(source: Path) -> int:
    """Return the number of rows of a dataset. Raises `DatasetError`."""
    if source.suffix == ".jsonl" and source.is_file():
        with source.open("rb") as file:
            return sum(bool(line.strip()) for line in file)
    total = 0
    for shard in _files(source):
        with opened(shard) as found:
            total += _n_rows(found)
    return total


def _n_rows(file: pq.ParquetFile) -> int:
    return int(file.metadata.num_rows)


def _files(source: Path) -> list[Path]:
    return [source] if source.is_file() else shards_in(source)


def _lines(source: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    with source.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                yield {name: row[name] for name in columns}
            except orjson.JSONDecodeError as error:
                raise DatasetError(f"{source}:{number}: not a JSON object; export it again") from error
            except (LookupError, TypeError) as error:
                raise DatasetError(f"{source}:{number}: has no column {error}") from error
