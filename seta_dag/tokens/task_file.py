"""The stage file of a task: the long columns of its rows, as an Arrow file of three batches a row.

First the log, then the rendered text, ids and trainable spans of each variant. The short columns, and what
became of trials without a row, stand in the stage's journal. A batch is written as soon as it is made, so
that one is in memory at a time.
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
_NOTHING = np.zeros(0, np.int32)


class TaskFile:
    """What rows are written to while they are made."""

    def __init__(self, writer: pa.ipc.RecordBatchFileWriter) -> None:
        self._writer = writer
        self.added = 0
        """How many batches there are: the place of the next one."""
        self.checksum = NO_FILE

    def add(self, text: bytes, ids: Ids = _NOTHING, spans: tuple[tuple[int, int], ...] = ()) -> None:
        """One more batch."""
        flat = np.array(spans, np.int32).reshape(-1)
        columns = [to_text([text]), to_column([ids], pa.int32()), to_column([flat], pa.int32())]
        self._writer.write_batch(pa.record_batch(columns, schema=_SCHEMA))
        self.added += 1


@contextmanager
def task_file(path: Path) -> Iterator[TaskFile]:
    """A task's file to write to; it appears when the block ends well, and then has a `checksum`."""
    with written_aside(path) as aside, ChecksummedFile(aside) as sink:
        with pa.ipc.new_file(pa.PythonFile(sink, "w"), _SCHEMA) as writer:
            file = TaskFile(writer)
            yield file
        sink.close()
        file.checksum = sink.checksum(aside)


@dataclass(frozen=True, slots=True)
class RowParts:
    """The long columns of one row in one variant; `spans` are its trainable tokens, as first and end."""

    log: pa.StringArray
    text: pa.StringArray
    ids: pa.ListArray
    spans: pa.ListArray

    @property
    def mask(self) -> pa.ListArray:
        """1 in the spans, 0 elsewhere."""
        mask = np.zeros(len(self.ids.values), np.int64)
        for first, end in to_numpy(self.spans, np.int32)[0].reshape(-1, 2).tolist():
            mask[first:end] = 1
        return to_column([mask], pa.int64())


def read_row(path: Path, at: int, variant: Variant) -> RowParts:
    """The row of a task's file whose first batch stands at `at`; no other batch is read."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        log, made = reader.get_batch(at), reader.get_batch(at + 1 + VARIANTS.index(variant))
        return RowParts(log["text"], made["text"], made["ids"], made["spans"])
