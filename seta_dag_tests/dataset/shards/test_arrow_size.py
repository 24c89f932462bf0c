"""The computed size of a batch equals the size Arrow reports after writing and reading it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.dataset.schema import FIELDS, ROW_SCHEMA
from seta_dag.dataset.shards.arrow_size import arrow_bytes
from seta_dag.dataset.shards.reader import read_batches
from seta_dag.rollouts.sources.usage import TOKEN_COUNTS

int64s = st.integers(-(2**63), 2**63 - 1)
counts = st.fixed_dictionaries({name: st.none() | st.integers(0, 9) for name in TOKEN_COUNTS})
VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): st.text(max_size=9),
    pa.float64(): st.floats(0, 1),
    pa.int64(): int64s,
    pa.list_(pa.int32()): st.lists(st.integers(0, 2**31 - 1), max_size=5),
    pa.list_(pa.int64()): st.lists(st.integers(0, 1), max_size=5),
    FIELDS["provider_token_counts"]: counts,
}
NULLABLE = ("model", "conv_json_path", "provider_token_counts", "n_messages", "raw_conv_json")


def rows(nulls: tuple[str, ...]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Strategy for lists of rows; only the columns in `nulls` may be null."""
    columns = {
        name: st.none() | VALUES[kind] if name in nulls else VALUES[kind] for name, kind in FIELDS.items()
    }
    return st.lists(st.fixed_dictionaries(columns), max_size=20)


def sizes_after_ipc(batch: pa.RecordBatch) -> list[int]:
    """Return the bytes of each column after an Arrow IPC round trip."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return [column.nbytes for column in pa.ipc.open_stream(sink.getvalue()).read_all().columns]


def check(batch: pa.RecordBatch) -> None:
    """Assert that `arrow_bytes` matches Arrow, per column and in total."""
    expected = sizes_after_ipc(batch)
    actual = [arrow_bytes(batch.select([name])) for name in batch.schema.names]
    assert dict(zip(batch.schema.names, actual, strict=True)) == dict(
        zip(batch.schema.names, expected, strict=True)
    )
    assert arrow_bytes(batch) == sum(expected)


@given(values=rows(NULLABLE) | rows(()) | rows(tuple(FIELDS)), data=st.data())
def test_size_of_batches_and_slices_matches_arrow(values: list[dict[str, Any]], data: st.DataObject) -> None:
    batch = pa.RecordBatch.from_pylist(values, schema=ROW_SCHEMA)
    check(batch)
    start = data.draw(st.integers(0, len(values)))
    check(batch.slice(start, data.draw(st.integers(0, len(values) - start))))


@given(values=rows(NULLABLE) | rows(()), group=st.integers(1, 8))
def test_size_of_batches_read_from_a_shard_matches_arrow(values: list[dict[str, Any]], group: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "train-00000-of-00001.parquet"
        pq.write_table(pa.Table.from_pylist(values, schema=ROW_SCHEMA), path, row_group_size=group)
        for batch in read_batches(path):
            check(batch)


BATCHES: dict[str, list[Any]] = {
    "no rows": [],
    "one null": [None],
    "only nulls": [None] * 9,
    "an empty value": [""],
    "eight rows": ["a"] * 8,
    "nine rows, the last null": [*"abcdefgh", None],
}


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("kind", VALUES, ids=str)
def test_size_of_tiny_batches_matches_arrow(name: str, kind: pa.DataType) -> None:
    plain: dict[pa.DataType, Any] = {pa.float64(): 0.5, pa.int64(): 1, pa.string(): "é"}
    value = plain.get(kind, {} if pa.types.is_struct(kind) else [])
    values = [None if one is None else value for one in BATCHES[name]]
    check(pa.record_batch({"column": pa.array(values, kind)}))
    check(pa.record_batch({"column": pa.array([value, *values, value], kind)}).slice(1, len(values)))
