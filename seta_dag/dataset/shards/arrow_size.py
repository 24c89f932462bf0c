"""How large a batch is once it is written as Arrow and mapped, told without writing it."""

from __future__ import annotations

import pyarrow as pa

from seta_dag.store.arrow import text_bytes


def arrow_bytes(batch: pa.RecordBatch) -> int:
    """The size of a batch once it is written as Arrow and mapped, which is what `datasets` counts.

    In memory it is more: Parquet's reader keeps bitmaps of nulls also where there is no null.
    """
    return sum(map(_mapped, batch.columns))


def _mapped(array: pa.Array) -> int:
    size = -(-len(array) // 8) if array.null_count else 0
    if pa.types.is_struct(array.type):
        return sum(_mapped(array.field(at)) for at in range(array.type.num_fields))
    if pa.types.is_list(array.type):
        return size + 4 * len(array) + _mapped(array.flatten())
    if pa.types.is_string(array.type):
        return size + 4 * len(array) + int(text_bytes(array)[1][-1] - text_bytes(array)[1][0])
    return size + len(array) * int(array.type.bit_width) // 8
