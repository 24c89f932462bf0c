"""What the written shards hold, read back and held against the ledger and the schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.ledger import Line
from seta_dag.dataset.lists import Offsets, sums, to_numpy
from seta_dag.dataset.row import ROW_SCHEMA
from seta_dag.dataset.shards import shard_paths
from seta_dag.tokens.render import Variant

_COMPARED = ("task_id", "trial_uid", "reward", "n_messages", "local_token_count", "n_assistant_tokens")
_SHOWN = 5


def wrong_schemas(dataset: Path) -> list[str]:
    """A sentence for each shard whose columns, types or metadata are not exactly those of R10."""
    schemas = {path.name: pq.read_schema(path) for path in shard_paths(dataset)}
    wrong = [name for name, schema in schemas.items() if not _is_row_schema(schema)]
    faults = [f"{name}: its schema is not that of a row" for name in wrong]
    return faults if schemas else [f"{dataset}: no shard"]


def _is_row_schema(schema: pa.Schema) -> bool:
    return bool(schema.equals(ROW_SCHEMA) and schema.metadata == ROW_SCHEMA.metadata)


def wrong_rows(dataset: Path, lines: Iterable[Line], variant: Variant) -> list[str]:
    """A sentence for each row that is not the ledger's, or is missing, or out of order."""
    tables = [pq.read_table(path, columns=[*_COMPARED, "conv_json_path"]) for path in shard_paths(dataset)]
    found = [row for table in tables for row in table.to_pylist()]
    order = [(row["task_id"], row["trial_uid"], row["conv_json_path"]) for row in found]
    written = sorted(tuple(row[name] for name in _COMPARED) for row in found)
    wanted = sorted(_as_row(line, variant) for line in lines if line["disposition"] == "row")
    faults = (
        [] if order == sorted(order) else ["the rows are not sorted by task_id, trial_uid, conv_json_path"]
    )
    for row in sorted(set(wanted).symmetric_difference(written))[:_SHOWN]:
        faults.append(f"{row[1]}: only in the {'ledger' if row in wanted else 'shards'}: {row}")
    if not faults and len(written) != len(wanted):
        faults.append(f"{len(written)} rows in the shards, {len(wanted)} in the ledger")
    return faults


def _as_row(line: Line, variant: Variant) -> tuple[Any, ...]:
    named = {
        **line,
        "local_token_count": line[f"{variant}_tokens"],
        "n_assistant_tokens": line[f"{variant}_trainable_tokens"],
    }
    return tuple(named[name] for name in _COMPARED)


def wrong_lengths(dataset: Path) -> list[str]:
    """A sentence for each row whose ids, mask and counts do not fit together."""
    return [fault for path in shard_paths(dataset) for fault in _wrong_lengths(path)][:_SHOWN]


def _wrong_lengths(path: Path) -> Iterator[str]:
    columns = ["trial_uid", "local_token_count", "n_assistant_tokens", "input_ids", "loss_mask"]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=columns):
            counts = zip(*(batch[name].to_pylist() for name in columns[:3]), *_counted(batch), strict=True)
            for uid, tokens, trainable, n_ids, n_mask, ones, others in counts:
                if not (tokens == n_ids == n_mask and trainable == ones > 0 and others == 0):
                    yield f"{path.name}, {uid}: its ids, mask and counts do not fit together"


def _counted(batch: pa.RecordBatch) -> tuple[Offsets, ...]:
    """Of each row: ids, mask entries, ones in the mask, and what is neither 0 nor 1 in it."""
    _, ids = to_numpy(batch["input_ids"], np.int32)
    mask, at = to_numpy(batch["loss_mask"], np.int64)
    return np.diff(ids), np.diff(at), sums(mask == 1, at), sums((mask != 0) & (mask != 1), at)
