"""Convert Arrow columns to numpy arrays and bytes and back, without a Python object per token.

Arrow's own `pa.array` and `to_numpy` import pandas, which takes longer than most of what is done here.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Values = npt.NDArray[Any]
Offsets = npt.NDArray[np.int64]


def to_column(parts: Sequence[Values], kind: pa.DataType) -> pa.ListArray:
    """Return a column with one list per part; the dtype of the parts must match `kind`."""
    values = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0, np.int8)
    # Arrow uses numpy's memory as it is: a single contiguous part is not copied.
    flat = pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])
    offsets = _offsets(parts)
    starts = pa.Array.from_buffers(pa.int32(), len(offsets), [None, pa.py_buffer(offsets)])
    return pa.ListArray.from_arrays(starts, flat)


def to_text(parts: Sequence[bytes]) -> pa.StringArray:
    """Return a column with one string per part, each in UTF-8."""
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    buffers = [None, pa.py_buffer(_offsets(parts)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(parts), buffers)


def _offsets(parts: Sequence[Sized]) -> npt.NDArray[np.int32]:
    # Part i is [offsets[i], offsets[i + 1]): one offset more than parts, int32 as Arrow wants it.
    offsets = np.zeros(len(parts) + 1, np.int32)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return offsets


def to_numpy(column: pa.ListArray, dtype: type[np.generic]) -> tuple[Values, Offsets]:
    """Return (values, offsets): list i is `values[offsets[i]:offsets[i + 1]]`. Values are not copied."""
    offsets = _buffer(column.offsets, np.int32).astype(np.int64)
    return _buffer(column.values, dtype), offsets


def text_bytes(column: pa.StringArray) -> tuple[memoryview, Offsets]:
    """Return (bytes, offsets): string i is `bytes[offsets[i]:offsets[i + 1]]`, in UTF-8."""
    _, offsets, data = column.buffers()
    first = column.offset  # a slice has the buffers of the column it was taken from
    bounds = (  # an empty column may come without a buffer of offsets
        np.frombuffer(offsets, np.int32) if offsets is not None and offsets.size else np.zeros(1, np.int32)
    )
    return memoryview(data or b""), bounds[first : first + len(column) + 1].astype(np.int64)


def _buffer(array: pa.Array, dtype: type[np.generic]) -> Values:
    if not len(array):
        return np.zeros(0, dtype)
    # Buffer 1 holds the values, including those before and after a slice.
    return np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]
