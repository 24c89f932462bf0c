"""Formats that trainers read, written to one Parquet or JSON lines file.

A format is an `Exporter`: the columns that it needs of a row, the schema that it writes, and how one becomes
the other. One more is a class and a line in `EXPORTERS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.schema import FIELDS, ROW_SCHEMA
from seta_dag.dataset.shards.layout import SHARD_GLOB, shard_paths
from seta_dag.errors import ConfigError, DatasetError
from seta_dag.loaders.labels import labels_of
from seta_dag.loaders.messages import MESSAGES, messages_of
from seta_dag.store.atomic import written_aside
from seta_dag.store.parquet import opened

# With this size, a batch of the longest rows takes tens of megabytes as Python objects.
_ROWS_PER_BATCH = 16

Row = dict[str, Any]


class Exporter(Protocol):
    """A format of a dataset."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a row that it needs."""

    @property
    def schema(self) -> pa.Schema:
        """The schema of what it writes."""

    def convert(self, row: Row) -> Row:
        """Return a row in this format."""


class Rows:
    """All 13 columns, as the reference's builder writes them."""

    columns = tuple(FIELDS)
    schema = ROW_SCHEMA.remove_metadata()

    def convert(self, row: Row) -> Row:
        """Return the row itself."""
        return row


class Labels:
    """Token ids with labels: TRL and axolotl train on exactly these."""

    columns = ("input_ids", "loss_mask")
    schema = pa.schema(
        {name: pa.list_(kind) for name, kind in (
            ("input_ids", pa.int32()), ("attention_mask", pa.int8()), ("labels", pa.int64()),
        )}
    )  # fmt: skip

    def convert(self, row: Row) -> Row:
        """Return ids, a mask of ones, and labels, which are -100 where nothing is trained."""
        ids = row["input_ids"]
        return {
            "input_ids": ids,
            "attention_mask": [1] * len(ids),
            "labels": labels_of(ids, row["loss_mask"]),
        }


class Messages:
    """Conversations, for trainers that render and mask them themselves."""

    columns = ("task_id", "trial_uid", "reward", "raw_conv_json", "chat_template_str")
    schema = pa.schema({"task_id": pa.string(), "trial_uid": pa.string(), "reward": pa.float64(), **MESSAGES})

    def convert(self, row: Row) -> Row:
        """Return the conversation as it was rendered: without reasoning in the nothink variant."""
        kept = {name: row[name] for name in ("task_id", "trial_uid", "reward")}
        return kept | messages_of(row["raw_conv_json"], row["chat_template_str"])


EXPORTERS: Mapping[str, Exporter] = {"jsonl": Rows(), "labels": Labels(), "messages": Messages()}
"""By the name that `seta-dag export --format` takes."""


def export_dataset(folder: Path, target: Path, form: str) -> int:
    """Write the rows of the dataset in `folder` to `target`, in the order of the shards.

    The ending of `target` decides: `.parquet`, or `.jsonl` with one JSON object per line in UTF-8. It is
    replaced when all rows are written, never before.

    Returns:
        The number of rows.

    Raises:
        ConfigError: `target` has another ending.
        DatasetError: `folder` has no shards, or one of them is unreadable or was not written by a build.
        OutputError: `target` cannot be written.
    """
    exporter, n_rows = EXPORTERS[form], 0
    if target.suffix not in _WRITERS:
        raise ConfigError(f"{target}: give a name that ends in {' or '.join(_WRITERS)}")
    if not shard_paths(folder):
        raise DatasetError(f"{folder}: no {SHARD_GLOB} in it; build the dataset first")
    with written_aside(target) as aside, _WRITERS[target.suffix](aside, exporter.schema) as write:
        for rows in _batches(folder, exporter.columns):
            write([exporter.convert(row) for row in rows])
            n_rows += len(rows)
    return n_rows


def _batches(folder: Path, columns: tuple[str, ...]) -> Iterator[list[Row]]:
    for shard in shard_paths(folder):
        with opened(shard, ROW_SCHEMA) as file:
            for batch in file.iter_batches(_ROWS_PER_BATCH, columns=list(columns)):
                yield [{name: row[name] for name in columns} for row in batch.to_pylist()]


class _Write(Protocol):
    def __call__(self, rows: list[Row]) -> None: ...


class _Open(Protocol):
    def __call__(self, path: Path, schema: pa.Schema) -> AbstractContextManager[_Write]: ...


@contextmanager
def _parquet(path: Path, schema: pa.Schema) -> Iterator[_Write]:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(rows, schema=schema))


@contextmanager
def _json_lines(path: Path, schema: pa.Schema) -> Iterator[_Write]:
    with path.open("wb") as file:
        yield lambda rows: file.writelines(orjson.dumps(row) + b"\n" for row in rows)


_WRITERS: Mapping[str, _Open] = {".jsonl": _json_lines, ".parquet": _parquet}
