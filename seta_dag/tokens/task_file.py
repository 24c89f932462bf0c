"""The stage file of a task: the long columns of its rows, in an Arrow file.

A row is three batches. The first batch has the log, the others have the rendered text, ids and trainable
spans of each variant. Short columns and dropped trials are in the stage's journal instead. Batches are
written one by one, so that only one of them is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from seta_dag.store.arrow import to_column, to_numpy, to_text
from seta_dag.store.atomic import written_aside
from seta_dag.store.integrity import NO_FILE, ChecksummedFile
from seta_dag.tokens.student.engines import Ids
from seta_dag.tokens.variants import VARIANTS, Variant

_SCHEMA = pa.schema({"text": pa.string(), "ids": pa.list_(pa.int32()), "spans": pa.list_(pa.int32())})
"""Every batch has one line; `spans` is flat, start and end in turns."""
_NO_IDS = np.zeros(0, np.int32)


class TaskFile:
    """A task's file that is open for writing."""

    def __init__(self, writer: pa.ipc.RecordBatchFileWriter) -> None:
        self._writer = writer
        self.n_batches = 0
        """Number of batches so far, and so the index of the next one."""
        self.checksum = NO_FILE
        """Checksum of the finished file."""

    def add(self, text: bytes, ids: Ids = _NO_IDS, spans: tuple[tuple[int, int], ...] = ()) -> None:
        """Write one batch: a text in UTF-8; if it is not a log, with ids and spans."""
        flat = np.array(spans, np.int32).reshape(-1)
        columns = [to_text([text]), to_column([ids], pa.int32()), to_column([flat], pa.int32())]
        # At once: a row of a long conversation is tens of megabytes.
        self._writer.write_batch(pa.record_batch(columns, schema=_SCHEMA))
        self.n_batches += 1


@contextmanager
def task_file(path: Path) -> Iterator[TaskFile]:
    """Open a task's file for writing.

    If the block ends without an exception, the file appears at `path` and `checksum` is set. Otherwise
    there is no file.
    """
    with written_aside(path) as aside, ChecksummedFile(aside) as sink:
        with pa.ipc.new_file(pa.PythonFile(sink, "w"), _SCHEMA) as writer:
            file = TaskFile(writer)
            yield file
        sink.close()
        file.checksum = sink.checksum(aside)


@dataclass(frozen=True, slots=True)
class RowParts:
    """The long columns of one row in one variant, as Arrow arrays of length 1."""

    log: pa.StringArray
    """`raw_conv_json`."""
    text: pa.StringArray
    """`chat_template_str`."""
    ids: pa.ListArray
    """int32, `input_ids`."""
    spans: pa.ListArray
    """int32, the trainable spans: start and end of each in turns."""

    @property
    def mask(self) -> pa.ListArray:
        """int64, `loss_mask`: 1 in the trainable spans, 0 elsewhere."""
        mask = np.zeros(len(self.ids.values), np.int64)
        # The file has spans instead of the mask, which would be many times larger.
        for start, end in to_numpy(self.spans, np.int32)[0].reshape(-1, 2).tolist():
            mask[start:end] = 1
        return to_column([mask], pa.int64())


def read_row(path: Path, first_batch: int, variant: Variant) -> RowParts:
    """Read one variant of the row whose batches start at this index."""
    # Mapped, so that only the pages of these two batches are read.
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        log = reader.get_batch(first_batch)
        row = reader.get_batch(first_batch + 1 + VARIANTS.index(variant))
        return RowParts(log["text"], row["text"], row["ids"], row["spans"])
