"""Counts of a dataset, computed from its written shards."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyarrow as pa
from xxhash import xxh3_64_hexdigest

from seta_dag.dataset.schema import FIELDS
from seta_dag.dataset.shards.arrow_size import arrow_bytes
from seta_dag.dataset.shards.facts import Shard
from seta_dag.dataset.shards.known import read_shards
from seta_dag.dataset.shards.reader import read_batches
from seta_dag.errors import NotBuiltError

UNKNOWN_MODEL = "unknown"
_LONGEST, _CUT = 160, 100
"""Characters of a name on a card, and how many are left of a longer one. With what follows, those fit, too:
`one_line` leaves its own result as it is."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of one dataset.

    Token counts come from `input_ids` and `loss_mask` themselves, not from the count columns. Means,
    medians and maxima are 0 if there are no rows.

    Attributes:
        rows: number of rows.
        tasks: number of distinct task ids.
        tokens: number of token ids in all rows.
        trainable_tokens: number of token ids with loss mask 1.
        tokens_mean: token ids per row.
        tokens_median: token ids per row.
        tokens_max: token ids in the longest row.
        solved: number of rows with reward 1.0.
        mean_reward: 0.0 to 1.0.
        models: rows per model name, most frequent first; rows without a model count as `unknown`.
        files: bytes of each shard, keyed by file name.
        num_bytes: size in bytes as uncompressed Arrow, as `datasets` computes it.
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
        """Trainable tokens divided by all tokens, 0.0 to 1.0."""
        return self.trainable_tokens / self.tokens if self.tokens else 0.0

    @property
    def solved_share(self) -> float:
        """Rows with reward 1.0 divided by all rows, 0.0 to 1.0."""
        return self.solved / self.rows if self.rows else 0.0

    @property
    def download_size(self) -> int:
        """Size of all shards in bytes, as `datasets` computes it."""
        return sum(self.files.values())


def one_line(text: object) -> str:
    """Return the text on one line as a card shows it, with unprintable characters replaced by U+FFFD.

    A text of more than 160 characters is cut. Its length and a hash follow, so that two names stay two.
    """
    joined = " ".join(str(text).split())
    shown = "".join(char if char.isprintable() else "\ufffd" for char in joined)
    if len(shown) <= _LONGEST:
        return shown
    return f"{shown[:_CUT]}… ({len(shown)} characters, {xxh3_64_hexdigest(shown.encode())})"


def read_stats(dataset: Path, memo: Path | None = None) -> Stats:
    """Count what is in the shards of the dataset in the directory `dataset`.

    `memo` is the table of `read_shards`; None reads every shard.

    Raises:
        NotBuiltError: if there are no shards.
        DatasetError: if a shard cannot be read or has another schema than `ROW_SCHEMA`.
    """
    shards = read_shards(dataset, memo)
    if not shards:
        raise NotBuiltError(f"{dataset}: no shard in it; materialize this dataset first")
    rows = [row for shard in shards for row in shard.rows]
    lengths, rewards = [row.ids for row in rows], [row.reward or 0.0 for row in rows]
    models = Counter(one_line(row.model or "") or UNKNOWN_MODEL for row in rows)
    return Stats(
        rows=len(rows),
        tasks=len({row.task_id for row in rows}),
        tokens=sum(lengths),
        trainable_tokens=sum(row.ones for row in rows),
        tokens_mean=sum(lengths) / len(rows) if rows else 0.0,
        tokens_median=float(statistics.median(lengths)) if rows else 0.0,
        tokens_max=max(lengths, default=0),
        solved=rewards.count(1.0),
        # `fsum` rounds once, so the mean does not depend on the order of the rows.
        mean_reward=math.fsum(rewards) / len(rows) if rows else 0.0,
        models=dict(sorted(models.items(), key=lambda item: (-item[1], item[0]))),
        files={shard.name: shard.size for shard in shards},
        num_bytes=_num_bytes(dataset, shards),
    )


def _num_bytes(dataset: Path, shards: Sequence[Shard]) -> int:
    """Return the size that `datasets` computes for the dataset's Arrow cache, in bytes.

    That is the sum over all batches, except that `datasets` merges consecutive batches of one row. The
    merged batch has another size than its parts, because null bitmaps are padded to whole bytes.
    """
    total = 0
    batches = [(batch.rows, batch.size, shard.name) for shard in shards for batch in shard.batches]
    for single, group in groupby(batches, key=lambda batch: batch[0] == 1):
        sizes = list(group)
        if single and len(sizes) > 1:
            names = list(dict.fromkeys(name for *_, name in sizes))
            # One column at a time, since the merged rows need not fit in memory together.
            total += sum(arrow_bytes(_singles(dataset, names, column)) for column in FIELDS)
        else:
            total += sum(size for _, size, _ in sizes)
    return total


def _singles(dataset: Path, names: Iterable[str], column: str) -> pa.RecordBatch:
    """Return one column of all one-row batches in these shards, as a single batch."""
    batches = (batch for name in names for batch in read_batches(dataset / "data" / name, [column]))
    return pa.concat_batches([batch for batch in batches if batch.num_rows == 1])
