"""What a dataset's shards hold, counted from the shards themselves."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from seta_dag.dataset.schema import FIELDS
from seta_dag.dataset.shards.arrow_size import arrow_bytes
from seta_dag.dataset.shards.reader import Shard, read_batches, read_shards
from seta_dag.errors import NotBuiltError

UNKNOWN_MODEL = "unknown"


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of one dataset. Token counts come from the id lists and the masks, not from count columns.

    `models` counts the rows of each model, its name on one line, the most frequent first; a row without
    one is `unknown`.
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


def one_line(text: object) -> str:
    """Any text as it is shown: on one line, each character that can't be printed as U+FFFD."""
    joined = " ".join(str(text).split())
    return "".join(char if char.isprintable() else "\ufffd" for char in joined)


def read_stats(dataset: Path, memo: Path | None = None) -> Stats:
    """Counts the shards of the dataset in `dataset`; `memo` as in `read_shards`.

    Raises `NotBuiltError` where there is no shard, `DatasetError` for one that is not of R10's form.
    """
    shards = read_shards(dataset, memo)
    if not shards:
        raise NotBuiltError(f"{dataset}: no shard in it; materialize this dataset first")
    rows = [row for shard in shards for row in shard.rows]
    lengths, rewards = [row["ids"] for row in rows], [row["reward"] for row in rows]
    models = Counter(one_line(row["model"] or "") or UNKNOWN_MODEL for row in rows)
    return Stats(
        rows=len(rows),
        tasks=len({row["task_id"] for row in rows}),
        tokens=sum(lengths),
        trainable_tokens=sum(row["ones"] for row in rows),
        tokens_mean=sum(lengths) / len(rows) if rows else 0.0,
        tokens_median=float(statistics.median(lengths)) if rows else 0.0,
        tokens_max=max(lengths, default=0),
        solved=rewards.count(1.0),
        mean_reward=math.fsum(rewards) / len(rows) if rows else 0.0,
        models=dict(sorted(models.items(), key=lambda item: (-item[1], item[0]))),
        files={shard.name: shard.size for shard in shards},
        num_bytes=_num_bytes(dataset, shards),
    )


def _num_bytes(dataset: Path, shards: Sequence[Shard]) -> int:
    """The batches' bytes, but single rows that follow one another: `datasets` puts them together."""
    total = 0
    batches = [(*batch, shard.name) for shard in shards for batch in shard.batches]
    for single, group in groupby(batches, key=lambda batch: batch[0] == 1):
        found = list(group)
        if single and len(found) > 1:
            shards_of_group = list(dict.fromkeys(name for *_, name in found))
            total += sum(arrow_bytes(_singles(dataset, shards_of_group, column)) for column in FIELDS)
        else:
            total += sum(size for _, size, _ in found)
    return total


def _singles(dataset: Path, names: Iterable[str], column: str) -> pa.RecordBatch:
    batches = (batch for name in names for batch in read_batches(dataset / "data" / name, [column]))
    return pa.concat_batches([batch for batch in batches if batch.num_rows == 1])
