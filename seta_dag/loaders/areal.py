"""Load one split of a published dataset, as AReaL expects it.

from seta_dag.loaders.areal import get_seta_sft_dataset

train = get_seta_sft_dataset("ORG/NAME", "train", max_length=32768, train_ratio=0.95)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seta_dag.errors import ConfigError
from seta_dag.loaders.columns import load_tokens

if TYPE_CHECKING:
    from datasets import Dataset

Split = Literal["train", "test"]
SplitBy = Literal["task", "row"]
Keep = npt.NDArray[np.bool_]


def get_seta_sft_dataset(
    path: str,
    split: str,
    tokenizer: Any = None,
    max_length: int | None = None,
    train_ratio: float = 1.0,
    min_assistant_tokens: int = 1,
    split_by: SplitBy = "task",
    **kwargs: Any,
) -> Dataset:
    """Load the rows of one split, with exactly the columns `input_ids` and `loss_mask`.

    Both are lists of one integer per token: int32 ids, and int64 with 1 = trained. The rows keep their order
    and are memory-mapped from the cache of `datasets`. An empty split has both columns too.

    Args:
        path: a dataset's folder, a parquet or jsonl file, or a Hub id.
        split: `train` or `test`; with the default `train_ratio` all rows are in `train`.
        tokenizer: ignored, as are further keywords; accepted because the reference's loader takes them.
        max_length: rows with more tokens are dropped, not truncated; None drops none.
        train_ratio: fraction of tasks (or rows) in `train`, from 0 to 1.
        min_assistant_tokens: rows with fewer trainable tokens are dropped.
        split_by: `task` decides by the name of the task, so all its trials are in the same split, and adding
            tasks never moves another task. `row` is the reference's way and decides by the row's index in
            the dataset, so adding a row moves others, and the trials of a task can be in both splits.

    Raises:
        ConfigError: an argument is invalid, or `path` is neither here nor on the Hub.
        DatasetError: the source cannot be read or lacks a token column.
    """
    if split not in get_args(Split) or split_by not in get_args(SplitBy):
        raise ConfigError(
            f"split is train or test and split_by is task or row, not {split!r} and {split_by!r}"
        )
    if not 0 <= train_ratio <= 1 or (max_length is not None and max_length < 1):
        raise ConfigError(
            f"train_ratio must be from 0 to 1 and max_length at least 1, not {train_ratio} and {max_length}"
        )
    rows = load_tokens(path)
    keep = trainable(rows.data.table, max_length, min_assistant_tokens)
    in_train = _SPLITTERS[split_by](rows.data.table, train_ratio)
    # Both are computed over all rows, so dropping some never moves another to the other split.
    keep &= in_train if split == "train" else ~in_train
    return rows.select(np.flatnonzero(keep)).select_columns(["input_ids", "loss_mask"])


def trainable(table: pa.Table, max_length: int | None, min_assistant_tokens: int) -> Keep:
    """Compute which rows are fit for training; bool, one per row.

    A row is if its ids and mask have the same length, at most `max_length`, and at least
    `min_assistant_tokens` tokens are trained. A row whose ids or mask are null is not.
    """
    batches = table.select(["input_ids", "loss_mask"]).to_batches()
    # Batch by batch, because the prefix sums of a batch take as much memory as its masks.
    parts = [_trainable(batch, max_length, min_assistant_tokens) for batch in batches]
    # The empty array is for a table without batches.
    return np.concatenate([np.zeros(0, np.bool_), *parts])


def _trainable(batch: pa.RecordBatch, max_length: int | None, min_assistant_tokens: int) -> Keep:
    ids, mask = batch.column(0), batch.column(1)
    lengths, mask_lengths = (_numpy(pc.list_value_length(column), -1) for column in (ids, mask))
    # The trained tokens of all rows at once: prefix sums over the batch, read at the rows' boundaries.
    # Null lists have length -1 here, but take no place in the flattened mask.
    ends = np.concatenate([[0], np.cumsum(np.maximum(mask_lengths, 0))])
    sums = np.concatenate([[0], np.cumsum(_numpy(mask.flatten(), 0))])
    n_trainable = sums[ends[1:]] - sums[ends[:-1]]
    keep: Keep = (lengths >= 0) & (lengths == mask_lengths) & (n_trainable >= min_assistant_tokens)
    return keep if max_length is None else keep & (lengths <= max_length)


def _by_task(table: pa.Table, train_ratio: float) -> Keep:
    """Put a task in train if the sha256 of its name, as a fraction of its range, is below the ratio."""
    tasks = pc.dictionary_encode(table.column("task_id").combine_chunks(), null_encoding="encode")
    # Each distinct name is hashed once, then its result is spread over the rows.
    train = [_fraction(task) < train_ratio for task in tasks.dictionary.to_pylist()]
    in_train: Keep = np.asarray(train, np.bool_)[_numpy(tasks.indices, 0)]
    return in_train


def _fraction(task: str | None) -> float:
    """Map a name to [0, 1) by the first 8 bytes of its sha256; a missing name counts as empty."""
    return int.from_bytes(hashlib.sha256((task or "").encode()).digest()[:8]) / 2**64


def _by_row(table: pa.Table, train_ratio: float) -> Keep:
    """Split like the reference: first 8 hex digits of the sha1 of the row's index over 0xffffffff."""
    digests = (hashlib.sha1(str(i).encode(), usedforsecurity=False) for i in range(table.num_rows))
    fractions = [int(digest.hexdigest()[:8], 16) / 0xFFFFFFFF for digest in digests]
    # A fraction can be exactly 1.0, which is not below a ratio of 1, so that ratio is handled apart.
    return np.asarray([fraction < train_ratio or train_ratio >= 1 for fraction in fractions], np.bool_)


_SPLITTERS: dict[SplitBy, Callable[[pa.Table, float], Keep]] = {"task": _by_task, "row": _by_row}


def _numpy(array: pa.Array, null: int) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = pc.fill_null(array, null).to_numpy(zero_copy_only=False)
    return values
