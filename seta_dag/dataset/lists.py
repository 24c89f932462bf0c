"""Arrow list columns as numpy arrays and back, without a Python object a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Values = npt.NDArray[Any]
Offsets = npt.NDArray[np.int64]


def to_column(parts: Sequence[Values], kind: pa.DataType) -> pa.ListArray:
    """One list a part; the parts' numpy type must be `kind`'s."""
    offsets = np.zeros(len(parts) + 1, np.int32)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    values = np.concatenate(parts) if parts else np.zeros(0, np.int8)
    flat = pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])
    starts = pa.Array.from_buffers(pa.int32(), len(offsets), [None, pa.py_buffer(offsets)])
    return pa.ListArray.from_arrays(starts, flat)


def to_numpy(column: pa.ListArray, dtype: type[np.generic]) -> tuple[Values, Offsets]:
    """(values, offsets): list i is `values[offsets[i]:offsets[i + 1]]`. Nothing is copied but offsets.

    Arrow's own `to_numpy` would import pandas, which takes longer than most of what is done here.
    """
    offsets = _buffer(column.offsets, np.int32).astype(np.int64)
    return _buffer(column.values, dtype), offsets


def _buffer(array: pa.Array, dtype: type[np.generic]) -> Values:
    if not len(array):
        return np.zeros(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]


def sums(values: Values, offsets: Offsets) -> Offsets:
    """The sum of each list."""
    running = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    return np.asarray(running[offsets[1:]] - running[offsets[:-1]], np.int64)
