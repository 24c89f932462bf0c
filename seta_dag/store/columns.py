"""Make short Arrow columns of Python values, through JSON: `pa.array` would import pandas."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.json

_BLOCK = 1 << 20


def to_columns(
    rows: Iterable[Mapping[str, Any]], kinds: Mapping[str, pa.DataType]
) -> dict[str, pa.ChunkedArray]:
    """Return the columns named in `kinds`, with the values of `rows`; a missing value becomes null."""
    lines = b"\n".join(orjson.dumps(row) for row in rows)
    schema = pa.schema(kinds)
    if not lines:
        return {name: pa.chunked_array([], kind) for name, kind in kinds.items()}
    table = pyarrow.json.read_json(
        io.BytesIO(lines),
        # Threads would split the columns anywhere, and a line longer than a block is an error.
        pyarrow.json.ReadOptions(use_threads=False, block_size=max(_BLOCK, len(lines))),
        pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    return {name: table[name] for name in kinds}
