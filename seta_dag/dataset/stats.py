"""What a dataset's shards hold, counted from the shards themselves."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seta_dag.dataset.row import ROW_SCHEMA
from seta_dag.dataset.shards import shard_paths
from seta_dag.errors import DatasetError, NotBuiltError

UNKNOWN_MODEL = "unknown"
_BATCH_ROWS = 1000
"""The rows that `datasets` puts into one Arrow batch at most; `num_bytes` depends on it."""

_COUNTED = ("task_id", "reward", "input_ids", "loss_mask")


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of one dataset. Token counts come from the id lists and the masks, not from count columns.

    `models` counts the rows of each model, the most frequent first; a row without one is `unknown`.
    `files` has the bytes of each shard. `num_bytes` is the size as uncompressed Arrow.
    """

    rows: int
    tasks: int
    tokens: int
    trainable_tokens: int
    tokens_mean: float
    tokens_median: float
    tokens_max: int
    solved: int
    mean_reward: float
    models: Mapping[str, int]
    files: Mapping[str, int]
    num_bytes: int

    @property
    def trainable_share(self) -> float:
        """Trainable tokens of all tokens, 0 to 1."""
        return self.trainable_tokens / self.tokens if self.tokens else 0.0

    @property
    def solved_share(self) -> float:
        """Rows with reward 1.0 of all rows, 0 to 1."""
        return self.solved / self.rows if self.rows else 0.0

    @property
    def download_size(self) -> int:
        """Bytes of all shards, as `datasets` counts them."""
        return sum(self.files.values())


@dataclass(slots=True)
class _Seen:
    """What is kept of each row while the shards go by: a few numbers, never its tokens."""

    lengths: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    tasks: set[str] = field(default_factory=set)
    models: Counter[str] = field(default_factory=Counter)
    trainable: int = 0
    num_bytes: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.lengths += pc.list_value_length(batch["input_ids"]).to_pylist()
        self.rewards += batch["reward"].to_pylist()
        self.tasks.update(batch["task_id"].to_pylist())
        self.models.update(model or UNKNOWN_MODEL for model in batch["model"].to_pylist())
        self.trainable += pc.sum(batch["loss_mask"].flatten(), min_count=0).as_py()
        self.num_bytes += sum(_mapped_bytes(batch.select([name])) for name in batch.schema.names)

    def stats(self, files: Mapping[str, int]) -> Stats:
        lengths, rows = self.lengths, len(self.lengths)
        return Stats(
            rows=rows,
            tasks=len(self.tasks),
            tokens=sum(lengths),
            trainable_tokens=self.trainable,
            tokens_mean=sum(lengths) / rows if rows else 0.0,
            tokens_median=float(statistics.median(lengths)) if rows else 0.0,
            tokens_max=max(lengths, default=0),
            solved=self.rewards.count(1.0),
            mean_reward=math.fsum(self.rewards) / rows if rows else 0.0,
            models=dict(sorted(self.models.items(), key=lambda item: (-item[1], item[0]))),
            files=files,
            num_bytes=self.num_bytes,
        )


def read_stats(dataset: Path) -> Stats:
    """Reads all shards of the dataset in `dataset`, one row group in memory at a time.

    Raises `NotBuiltError` where there is no shard, `DatasetError` for one that is not of R10's form.
    """
    files = shard_paths(dataset)
    if not files:
        raise NotBuiltError(f"{dataset}: no shard in it; materialize this dataset first")
    seen = _Seen()
    for batch in _as_written(chain.from_iterable(map(_batches, files))):
        seen.add(batch)
    return seen.stats({file.name: file.stat().st_size for file in files})


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(file) as shard:
            if not shard.schema_arrow.equals(ROW_SCHEMA):
                raise DatasetError(f"{file}: its columns are not those of a row; build the dataset again")
            for group in range(shard.num_row_groups):
                yield from map(_without_nulls, shard.iter_batches(_BATCH_ROWS, row_groups=[group]))
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{file}: can't be read ({error}); build the dataset again") from error


def _as_written(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches as `datasets` writes them: it puts single rows that follow one another together."""
    for single, group in groupby(batches, key=lambda batch: batch.num_rows == 1):
        if single:
            yield pa.concat_batches(list(group))
        else:
            yield from group


def _without_nulls(batch: pa.RecordBatch) -> pa.RecordBatch:
    found = [name for name in _COUNTED if batch[name].null_count]
    if found:
        raise pa.ArrowInvalid(f"a null in {', '.join(found)}")
    return batch


def _mapped_bytes(column: pa.RecordBatch) -> int:
    """The size of one column once it is written as Arrow and mapped, which is what `datasets` counts.

    In memory it is more: Parquet's reader keeps bitmaps of nulls also where there is no null.
    """
    return int(pa.ipc.read_record_batch(column.serialize(), column.schema).nbytes)
