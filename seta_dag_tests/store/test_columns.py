"""Conversion of rows to Arrow columns is exact and does not import pandas."""

from __future__ import annotations

import struct
import subprocess
import sys
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.dataset.ledger.ledger import LEDGER_SCHEMA
from seta_dag.store.columns import to_columns
from seta_dag_tests.support.conversations import texts

KINDS = {
    "text": pa.string(),
    "number": pa.int64(),
    "small": pa.int32(),
    "real": pa.float64(),
    "flag": pa.bool_(),
    "list": pa.list_(pa.string()),
    "struct": pa.struct([("a", pa.int64()), ("b", pa.int64())]),
}
int64s = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 2**53 + 1, -1, 0])
reals = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [-0.0, 5e-324, -5e-324, 1.7976931348623157e308, 0.1, 1 / 3, 1e22, 2.0**53, 1.0, 123456789012345680.0]
)
strings = texts() | st.text() | st.sampled_from(
    ["", "\n", "\r\n", "\u2028\u2029", "\x00\x7f\x80", '"\\', "\ufffd\ufeff", "2026-11-22T12:13:43", "1"]
)  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": strings,
    "number": int64s,
    "small": st.integers(-(2**31), 2**31 - 1),
    "real": reals,
    "flag": st.booleans(),
    "list": st.lists(strings, max_size=3),
    "struct": st.fixed_dictionaries({"a": st.none() | int64s, "b": st.none() | int64s}),
}
rows = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()})


def bits(value: Any) -> Any:
    """Return a key that is equal only for values of the same type and the same bits."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    return type(value), value


@given(given_rows=st.lists(rows, max_size=6))
def test_values_round_trip_exactly(given_rows: list[dict[str, Any]]) -> None:
    columns = to_columns(given_rows, KINDS)
    assert {name: column.type for name, column in columns.items()} == KINDS
    for name, column in columns.items():
        column.validate(full=True)
        found, wanted = column.to_pylist(), [row[name] for row in given_rows]
        assert list(map(bits, found)) == list(map(bits, wanted))


def test_missing_values_are_null_and_other_keys_are_ignored() -> None:
    columns = to_columns([{"a": 1, "z": 2}, {"b": "x"}, {}], {"a": pa.int64(), "b": pa.string()})
    assert {name: column.to_pylist() for name, column in columns.items()} == {
        "a": [1, None, None],
        "b": [None, "x", None],
    }


@pytest.mark.parametrize("kinds", [KINDS, dict(zip(LEDGER_SCHEMA.names, LEDGER_SCHEMA.types, strict=True))])
def test_no_rows_give_empty_columns(kinds: dict[str, pa.DataType]) -> None:
    columns = to_columns([], kinds)
    assert list(columns) == list(kinds)
    assert all(len(column) == 0 and column.type == kinds[name] for name, column in columns.items())


def test_many_and_long_rows_give_one_table() -> None:
    """Both all rows together and one row alone exceed the default block size of Arrow's JSON reader."""
    given_rows = [{"text": f"{n} " * 300_000} for n in range(3)] + [{"text": f"{n}"} for n in range(100_000)]
    assert to_columns(given_rows, {"text": pa.string()})["text"].to_pylist() == [
        row["text"] for row in given_rows
    ]


WITHOUT_PANDAS = """
import sys
import pyarrow as pa
from seta_dag.dataset.ledger.ledger import LEDGER_SCHEMA
from seta_dag.dataset.schema import FIELDS, LONG, ROW_SCHEMA
from seta_dag.store.columns import to_columns
from seta_dag.dataset.shards.source import RowSource
from seta_dag.dataset.shards.layout import ShardPlan
from seta_dag.store.layout import OutputLayout
from pathlib import Path
from seta_dag_tests.support.made import MadeTrial, merged, write_stages
out, made = OutputLayout(Path(sys.argv[1])), [MadeTrial("a")]
write_stages(out, made, merged(made))
source = RowSource.of(out, merged(made).fingerprints)
(table,) = source.groups("thinking", ShardPlan((("a", made[0].run, made[0].trial.uid),), ""))
assert table.num_rows == 1 and table.schema.equals(ROW_SCHEMA)
print("pandas" in sys.modules)
"""


def test_building_the_table_of_a_row_does_not_import_pandas(tmp_path: Any) -> None:
    command = [sys.executable, "-c", WITHOUT_PANDAS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
