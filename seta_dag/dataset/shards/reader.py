"""What the written shards hold: each is read back once, whole, and then known while it is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from xxhash import xxh3_128

from seta_dag.dataset.schema import FIELDS, ROW_SCHEMA
from seta_dag.dataset.shards.arrow_size import arrow_bytes
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.executor.memory import give_back
from seta_dag.executor.workers import in_order
from seta_dag.store.arrow import text_bytes, to_numpy
from seta_dag.store.atomic import mark, read_memo, write_memo
from seta_dag.store.parquet import opened

_GROUP_ROWS = 1000
"""The rows that `datasets` puts into one Arrow batch at most."""
_PLAIN = (
    "task_id", "trial_uid", "conv_json_path", "reward", "model", "n_messages", "local_token_count",
    "n_assistant_tokens",
)  # fmt: skip
_NEVER_NULL = ("task_id", "trial_uid", "reward", "chat_template_str", "input_ids", "loss_mask")

RowFacts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard: `rows` in order, and (rows, bytes as mapped Arrow) of each batch that `datasets` makes.

    A row has its small columns as written, and what was counted: `ids`, `mask` and `ones` of its lists,
    `others` (mask entries neither 0 nor 1), and the `digest` that identifies a proved row.
    """

    name: str
    size: int
    rows: list[RowFacts]
    batches: list[tuple[int, int]]


def read_shards(dataset: Path, memo: Path | None = None) -> list[Shard]:
    """All shards of a dataset. Raises `DatasetError` for one that can't be read or is not of R10's form.

    `memo` is a file that keeps what was read, for shards whose size and time are still the same.
    """
    kept: dict[str, Any] = (memo and read_memo(memo)) or {}
    paths = shard_paths(dataset)
    shards = list(in_order(lambda path: _again(kept.get(_key(path)), path) or _read(path), paths))
    give_back()
    known = dict(zip(map(_key, paths), shards, strict=True))
    if memo and known.keys() != kept.keys():
        write_memo(memo, known)
    return shards


def _key(path: Path) -> str:
    """Another one for each file, and the same for a shard that was kept under another name."""
    return f"{path.stat().st_ino} {mark(path)}"


def _again(kept: RowFacts | None, path: Path) -> Shard | None:
    return Shard(**{**kept, "name": path.name}) if kept else None


def _read(path: Path) -> Shard:
    shard = Shard(path.name, path.stat().st_size, [], [])
    with opened(path, ROW_SCHEMA) as file:
        for group in range(file.num_row_groups):
            _read_group(file, group, shard)
    return shard


def _read_group(file: pq.ParquetFile, group: int, shard: Shard) -> None:
    """One long column in memory at a time."""
    rows: list[RowFacts] = []
    batches = []
    for batch in _batches(file, group, list(_PLAIN)):
        rows += batch.to_pylist()
        batches.append([batch.num_rows, arrow_bytes(batch)])
    digests = [xxh3_128() for _ in rows]
    for name in (name for name in FIELDS if name not in _PLAIN):
        place = 0
        for n, batch in enumerate(_batches(file, group, [name])):
            batches[n][1] += arrow_bytes(batch)
            _count(name, batch[name], rows[place:], digests[place:])
            place += batch.num_rows
    for row, digest in zip(rows, digests, strict=True):
        row["digest"] = digest.hexdigest()
    shard.rows.extend(rows)
    shard.batches.extend((n, size) for n, size in batches)


def _count(name: str, column: pa.Array, rows: list[RowFacts], digests: list[xxh3_128]) -> None:
    """Adds what is counted of one long column to its rows, and its bytes to what identifies them."""
    values: Any
    if name == "chat_template_str":
        values, at = text_bytes(column)
    elif name == "input_ids":
        values, at = to_numpy(column, np.int32)
    elif name == "loss_mask":
        wide, at = to_numpy(column, np.int64)
        values, beyond = wide.astype(np.int8), wide.view(np.uint64) > 1
    else:
        return
    for row, digest, start, end in zip(rows, digests, at[:-1].tolist(), at[1:].tolist(), strict=False):
        digest.update(values[start:end])
        if name == "input_ids":
            row["ids"] = end - start
        elif name == "loss_mask":
            others = int(np.count_nonzero(beyond[start:end]))
            ones = int(np.count_nonzero(wide[start:end] == 1))
            row |= {"mask": end - start, "ones": ones, "others": others}


def read_batches(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The batches that `datasets` makes of a shard, or those columns of them, one row group at a time."""
    with opened(path, ROW_SCHEMA) as file:
        for group in range(file.num_row_groups):
            yield from _batches(file, group, columns)


def _batches(file: pq.ParquetFile, group: int, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    return map(_sound, file.iter_batches(_GROUP_ROWS, row_groups=[group], columns=columns))


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    batch.validate(full=True)  # text that is not UTF-8, offsets that lead nowhere
    found = [name for name in _NEVER_NULL if name in batch.schema.names and batch[name].null_count]
    if found:
        raise pa.ArrowInvalid(f"a null in {', '.join(found)}")
    return batch
