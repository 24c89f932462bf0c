"""Published datasets as trainers take them: AReaL's row form, TRL's labels, PyTorch batches.

    from seta_dag.loaders.areal import get_seta_sft_dataset

    train = get_seta_sft_dataset("ORG/NAME", "train", max_length=32768, train_ratio=0.95)

Needs the extra `seta-dag[loaders]`.
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
    """The rows of one split as exactly `input_ids` (list of int32) and `loss_mask` (list of int64).

    The signature and its meaning are those of the reference's loader for AReaL; `tokenizer` and further
    keywords are taken for its sake and not used.

    Args:
        path: a dataset's folder, a parquet or jsonl file, or a Hub id.
        split: `train` or `test`; with the default `train_ratio` all rows are `train`.
        max_length: rows of more tokens are dropped, not cut.
        train_ratio: the share of `train`, from 0 to 1.
        min_assistant_tokens: rows with fewer trainable tokens are dropped.
        split_by: `task` decides by the task's name: no task is on both sides, and adding tasks moves no
            other. `row` is the reference's way, by the row's index over the whole source: adding a row
            moves others, and a task's trials can be on both sides.

    The rows are memory-mapped from the client's cache; order is kept; an empty split has both columns.
    Raises `ConfigError` for a wrong argument or path and `DatasetError` for a source of another form.
    """
    if split not in get_args(Split) or split_by not in get_args(SplitBy):
        raise ConfigError(f"split is train or test and split_by task or row, not {split!r}, {split_by!r}")
    if not 0 <= train_ratio <= 1 or (max_length is not None and max_length < 1):
        raise ConfigError(
            f"train_ratio {train_ratio} must lie in 0 to 1, and max_length {max_length} be above 0"
        )
    rows = load_tokens(path)
    keep = trainable(rows.data.table, max_length, min_assistant_tokens)
    in_train = _SPLITTERS[split_by](rows.data.table, train_ratio)
    keep &= in_train if split == "train" else ~in_train
    return rows.select(np.flatnonzero(keep)).select_columns(["input_ids", "loss_mask"])


def trainable(table: pa.Table, max_length: int | None, min_assistant_tokens: int) -> Keep:
    """Which rows have ids and a mask of one length, not above `max_length`, and enough to learn."""
    batches = table.select(["input_ids", "loss_mask"]).to_batches()
    return _joined([_trainable(batch, max_length, min_assistant_tokens) for batch in batches])


def _trainable(batch: pa.RecordBatch, max_length: int | None, min_assistant_tokens: int) -> Keep:
    ids, mask = batch.column(0), batch.column(1)
    lengths, mask_lengths = (_numpy(pc.list_value_length(column), -1) for column in (ids, mask))
    ends = np.concatenate([[0], np.cumsum(np.maximum(mask_lengths, 0))])
    sums = np.concatenate([[0], np.cumsum(_numpy(mask.flatten(), 0))])
    n_trainable = sums[ends[1:]] - sums[ends[:-1]]
    keep: Keep = (lengths >= 0) & (lengths == mask_lengths) & (n_trainable >= min_assistant_tokens)
    return keep if max_length is None else keep & (lengths <= max_length)


def _by_task(table: pa.Table, train_ratio: float) -> Keep:
    """sha256 of the task's name, its first 8 bytes as a fraction of 2**64: train where below the ratio."""
    tasks = pc.dictionary_encode(table.column("task_id").combine_chunks(), null_encoding="encode")
    train = [_fraction(task) < train_ratio for task in tasks.dictionary.to_pylist()]
    in_train: Keep = np.asarray(train, np.bool_)[_numpy(tasks.indices, 0)]
    return in_train


def _fraction(task: str | None) -> float:
    return int.from_bytes(hashlib.sha256((task or "").encode()).digest()[:8]) / 2**64


def _by_row(table: pa.Table, train_ratio: float) -> Keep:
    """The reference's: the first 8 hex digits of sha1 of the row's index, as a fraction of 0xffffffff."""
    digests = (hashlib.sha1(str(i).encode(), usedforsecurity=False) for i in range(table.num_rows))
    fractions = [int(digest.hexdigest()[:8], 16) / 0xFFFFFFFF for digest in digests]
    # The last fraction is exactly 1, which belongs to train when all rows do.
    return np.asarray([fraction < train_ratio or train_ratio >= 1 for fraction in fractions], np.bool_)


_SPLITTERS: dict[SplitBy, Callable[[pa.Table, float], Keep]] = {"task": _by_task, "row": _by_row}


def _numpy(array: pa.Array, null: int) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = pc.fill_null(array, null).to_numpy(zero_copy_only=False)
    return values


def _joined(parts: list[Keep]) -> Keep:
    return np.concatenate([np.zeros(0, np.bool_), *parts])
