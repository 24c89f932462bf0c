"""What the written shards hold: each is read back once, whole, and then known while it is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seta_dag.dataset.lists import sums, to_numpy
from seta_dag.dataset.parquet import opened
from seta_dag.dataset.row import ROW_SCHEMA
from seta_dag.dataset.rows import digest
from seta_dag.files import mark, read_memo, write_memo

_GROUP_ROWS = 1000
"""The rows that `datasets` puts into one Arrow batch at most."""
_PLAIN = (
    "task_id", "trial_uid", "conv_json_path", "reward", "model", "n_messages", "local_token_count",
    "n_assistant_tokens",
)  # fmt: skip
_NEVER_NULL = ("task_id", "trial_uid", "reward", "chat_template_str", "input_ids", "loss_mask")

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard: `rows` in order, and (rows, bytes as mapped Arrow) of each batch that `datasets` makes.

    A row has its small columns as written, and what was counted: `ids`, `mask` and `ones` of its lists,
    `others` (mask entries neither 0 nor 1), and the `digest` that identifies a proved row.
    """

    name: str
    size: int
    rows: list[Facts]
    batches: list[tuple[int, int]]


def shard_paths(dataset: Path) -> list[Path]:
    """The shards of a dataset's directory, in order."""
    return sorted((dataset / "data").glob("train-*.parquet"))


def read_shards(dataset: Path, memo: Path | None = None) -> list[Shard]:
    """All shards of a dataset. Raises `DatasetError` for one that can't be read or is not of R10's form.

    `memo` is a file that keeps what was read, for shards whose size and time are still the same.
    """
    kept: dict[str, Any] = (memo and read_memo(memo)) or {}
    paths = shard_paths(dataset)
    with ThreadPoolExecutor() as pool:
        shards = list(pool.map(lambda path: _again(kept.get(_key(path)), path) or _read(path), paths))
    known = dict(zip(map(_key, paths), shards, strict=True))
    if memo and known.keys() != kept.keys():
        write_memo(memo, known)
    return shards


def _key(path: Path) -> str:
    """Another one for each file, and the same for a shard that was kept under another name."""
    return f"{path.stat().st_ino} {mark(path)}"


def _again(kept: Facts | None, path: Path) -> Shard | None:
    return Shard(**{**kept, "name": path.name}) if kept else None


def _read(path: Path) -> Shard:
    rows: list[Facts] = []
    batches = []
    for batch in read_batches(path):
        batches.append((batch.num_rows, mapped_bytes(batch)))
        rows += _facts(batch)
    return Shard(path.name, path.stat().st_size, rows, batches)


def read_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches that `datasets` makes of a shard, one row group in memory at a time."""
    with opened(path, ROW_SCHEMA) as file:
        for group in range(file.num_row_groups):
            yield from map(_sound, file.iter_batches(_GROUP_ROWS, row_groups=[group]))


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    batch.validate(full=True)  # text that is not UTF-8, offsets that lead nowhere
    found = [name for name in _NEVER_NULL if batch[name].null_count]
    if found:
        raise pa.ArrowInvalid(f"a null in {', '.join(found)}")
    return batch


def mapped_bytes(batch: pa.RecordBatch) -> int:
    """The size of a batch once it is written as Arrow and mapped, which is what `datasets` counts.

    In memory it is more: Parquet's reader keeps bitmaps of nulls also where there is no null.
    """
    columns = (batch.select([name]) for name in batch.schema.names)
    return sum(int(pa.ipc.read_record_batch(one.serialize(), one.schema).nbytes) for one in columns)


def _facts(batch: pa.RecordBatch) -> list[Facts]:
    ids, at = to_numpy(batch["input_ids"], np.int32)
    mask, mask_at = to_numpy(batch["loss_mask"], np.int64)
    rows: list[Facts] = batch.select(list(_PLAIN)).to_pylist()
    ones = sums(mask == 1, mask_at).tolist()
    others = sums((mask != 0) & (mask != 1), mask_at).tolist()
    for i, (row, text) in enumerate(zip(rows, batch["chat_template_str"].to_pylist(), strict=True)):
        of_row, of_mask = ids[at[i] : at[i + 1]], mask[mask_at[i] : mask_at[i + 1]].astype(np.int8)
        row |= {"ids": len(of_row), "mask": len(of_mask), "ones": ones[i], "others": others[i]}
        row["digest"] = digest(text, of_row.tobytes(), of_mask.tobytes())
    return rows
