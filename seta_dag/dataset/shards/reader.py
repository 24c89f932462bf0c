"""Read the written shards back, to check and count them.

Each shard is read completely, one long column at a time. The result is kept until the file changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from xxhash import xxh3_128

from seta_dag.dataset.schema import FIELDS, ROW_SCHEMA
from seta_dag.dataset.shards.arrow_size import arrow_bytes
from seta_dag.dataset.shards.facts import Batch, RowFacts, Shard
from seta_dag.rollouts.sources.usage import TokenCounts
from seta_dag.store.arrow import text_bytes, to_numpy
from seta_dag.store.parquet import opened
from seta_dag.tokens.log_columns import SHORT, content_digest

_GROUP_ROWS = 1000
"""Maximum number of rows that `datasets` puts into one Arrow batch."""
_PLAIN = (*SHORT, "local_token_count", "n_assistant_tokens")
_NEVER_NULL = ("task_id", "trial_uid", "reward", "chat_template_str", "input_ids", "loss_mask")


def read_shard(path: Path) -> Shard:
    """Read one shard completely. Raises `DatasetError` if it cannot be read or has another schema."""
    rows: list[RowFacts] = []
    batches: list[Batch] = []
    with opened(path, ROW_SCHEMA) as file:
        for group in range(file.num_row_groups):
            _read_group(file, group, rows, batches)
    return Shard(path.name, path.stat().st_size, tuple(rows), tuple(batches))


def _read_group(file: pq.ParquetFile, group: int, found: list[RowFacts], sizes: list[Batch]) -> None:
    """Add a row group to `found` and `sizes`, with only one long column in memory at a time."""
    rows: list[dict[str, Any]] = []
    batches = []
    for batch in _batches(file, group, list(_PLAIN)):
        rows += batch.to_pylist()
        batches.append([batch.num_rows, arrow_bytes(batch)])
    digests, logs = [xxh3_128() for _ in rows], [xxh3_128() for _ in rows]
    for name in (name for name in FIELDS if name not in _PLAIN):
        hashes = logs if name == "raw_conv_json" else digests
        # Batches have the same boundaries for every column, so batch n always starts at the same row.
        start = 0
        for n, batch in enumerate(_batches(file, group, [name])):
            batches[n][1] += arrow_bytes(batch)
            _count(name, batch[name], rows[start:], hashes[start:])
            start += batch.num_rows
    found += map(_facts, rows, digests, logs)
    sizes += [Batch(n, size) for n, size in batches]


def _facts(row: dict[str, Any], digest: xxh3_128, log: xxh3_128) -> RowFacts:
    content = content_digest(log, [row[name] for name in SHORT])
    counts = row["provider_token_counts"]
    row["provider_token_counts"] = TokenCounts(**counts) if counts else None
    return RowFacts(**row, digest=digest.hexdigest(), content=content)


def _count(name: str, column: pa.Array, rows: list[dict[str, Any]], digests: list[xxh3_128]) -> None:
    """Add the counts of one long column to its rows, and its values to their digests.

    `rows` and `digests` start with the column's first row, and may continue after its last one.
    """
    values: Any
    if name in ("raw_conv_json", "chat_template_str"):
        values, offsets = text_bytes(column)
    elif name == "input_ids":
        values, offsets = to_numpy(column, np.int32)
    else:
        wide, offsets = to_numpy(column, np.int64)
        # Proofs hash an int8 mask. As unsigned, negative entries are huge: one comparison finds all invalid.
        values, invalid = wide.astype(np.int8), wide.view(np.uint64) > 1
    # List i is `values[offsets[i]:offsets[i + 1]]`; Python ints, since numpy ones are no JSON for the table.
    starts, ends = offsets[:-1].tolist(), offsets[1:].tolist()
    for row, digest, start, end in zip(rows, digests, starts, ends, strict=False):
        digest.update(values[start:end])
        if name == "input_ids":
            row["ids"] = end - start
        elif name == "loss_mask":
            others = int(np.count_nonzero(invalid[start:end]))
            ones = int(np.count_nonzero(wide[start:end] == 1))
            row |= {"mask": end - start, "ones": ones, "others": others}


def read_batches(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the batches that `datasets` reads from a shard, with all columns or only these.

    Raises:
        DatasetError: if the shard cannot be read, has another schema, or a null where none is allowed.
    """
    with opened(path, ROW_SCHEMA) as file:
        for group in range(file.num_row_groups):
            yield from _batches(file, group, columns)


def _batches(file: pq.ParquetFile, group: int, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    return map(_validated, file.iter_batches(_GROUP_ROWS, row_groups=[group], columns=columns))


def _validated(batch: pa.RecordBatch) -> pa.RecordBatch:
    batch.validate(full=True)  # finds text that is not UTF-8, and offsets out of range
    nulls = [name for name in _NEVER_NULL if name in batch.schema.names and batch[name].null_count]
    if nulls:
        raise pa.ArrowInvalid(f"a null in {', '.join(nulls)}")
    return batch
