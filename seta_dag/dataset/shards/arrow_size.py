"""Size of a batch in an Arrow file, computed without writing one."""

from __future__ import annotations

import pyarrow as pa

from seta_dag.store.arrow import text_bytes


def arrow_bytes(batch: pa.RecordBatch) -> int:
    """Return the size in bytes of a batch that is written as Arrow and memory-mapped.

    This is the size that `datasets` reports. The batch itself may take more memory, because the Parquet
    reader allocates null bitmaps for columns without nulls too.
    """
    return sum(map(_mapped, batch.columns))


def _mapped(array: pa.Array) -> int:
    # One validity bit per value, rounded up to whole bytes; Arrow omits the bitmap if there are no nulls.
    size = -(-len(array) // 8) if array.null_count else 0
    if pa.types.is_struct(array.type):
        return sum(_mapped(array.field(i)) for i in range(array.type.num_fields))
    # Lists and strings have an int32 offset per value.
    if pa.types.is_list(array.type):
        return size + 4 * len(array) + _mapped(array.flatten())
    if pa.types.is_string(array.type):
        _, offsets = text_bytes(array)
        return size + 4 * len(array) + int(offsets[-1] - offsets[0])
    return size + len(array) * int(array.type.bit_width) // 8
