"""Turn rows of `get_seta_sft_dataset` into what TRL and a plain PyTorch loop expect.

TRL (1.16) always uses a `labels` column unchanged. It uses a `completion_mask` only with
`completion_only_loss=True`; otherwise it ignores the mask and trains on every token.

    trainer = SFTTrainer(model, args=SFTConfig(max_length=None), train_dataset=with_labels(train))

For PyTorch, `collate` pads rows to tensors, or to numpy arrays where torch is not installed.

    loader = DataLoader(train, batch_size=4, collate_fn=lambda rows: collate(rows, pad_id))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from datasets import Dataset

IGNORED = -100
"""Label of tokens that are not trained, the `ignore_index` of PyTorch's cross entropy."""

Batch = dict[str, Any]
"""Tensors, or numpy arrays without torch, of shape (rows, longest row), by name."""


def with_labels(dataset: Dataset) -> Dataset:
    """Replace the column `loss_mask` with `attention_mask` and `labels`.

    Both are a list per row, same length as `input_ids`: 1 of int8 for each token, and as int64 the token id
    where the mask is 1, else `IGNORED`.
    """
    from datasets import Features, List, Value

    lists = {"attention_mask": List(Value("int8")), "labels": List(Value("int64"))}
    features = Features({"input_ids": dataset.features["input_ids"], **lists})
    # In Arrow format, a batch is computed without a Python object per token.
    return (
        dataset.with_format("arrow")
        .map(_with_labels, batched=True, features=features, remove_columns=["loss_mask"])
        .with_format(None)
    )


def _with_labels(table: pa.Table) -> pa.Table:
    ids, mask = (table.column(name).combine_chunks() for name in ("input_ids", "loss_mask"))
    tokens = ids.flatten().cast(pa.int64())
    labels = pc.if_else(pc.equal(mask.flatten(), 1), tokens, pa.scalar(IGNORED, pa.int64()))
    # The offsets are recomputed, because those of a slice do not start at 0 as the flat labels do.
    ends = pc.cumulative_sum(pc.list_value_length(ids)).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    ones = pa.array(np.ones(len(labels), np.int8))
    return pa.table(
        {
            "input_ids": ids,
            "attention_mask": pa.ListArray.from_arrays(offsets, ones),
            "labels": pa.ListArray.from_arrays(offsets, labels),
        }
    )


def labels_of(ids: Sequence[int], mask: Sequence[int]) -> list[int]:
    """Return the labels of one row: the id where the mask is 1, else `IGNORED`."""
    return [token if one == 1 else IGNORED for token, one in zip(ids, mask, strict=True)]


def collate(rows: Sequence[Mapping[str, Any]], pad_id: int) -> Batch:
    """Pad rows on the right to a batch of `input_ids`, `attention_mask` and `labels`.

    They are tensors, or numpy arrays where torch is not installed, each int64 of shape (rows, longest row).
    `pad_id` is the tokenizer's padding id (151643 for Qwen3). Padding and tokens with a `loss_mask` of 0 get
    the label `IGNORED`. Labels are not shifted, because models do that themselves.
    """
    shape = len(rows), max((len(row["input_ids"]) for row in rows), default=0)
    batch: dict[str, npt.NDArray[np.int64]] = {
        "input_ids": np.full(shape, pad_id, np.int64),
        "attention_mask": np.zeros(shape, np.int64),
        "labels": np.full(shape, IGNORED, np.int64),
    }
    for number, row in enumerate(rows):
        ids, mask = np.asarray(row["input_ids"]), np.asarray(row["loss_mask"])
        batch["input_ids"][number, : len(ids)] = ids
        batch["attention_mask"][number, : len(ids)] = 1
        batch["labels"][number, : len(ids)] = np.where(mask == 1, ids, IGNORED)
    return _tensors(batch)


def _tensors(batch: Batch) -> Batch:
    try:
        import torch
    except ModuleNotFoundError:
        return batch
    return {name: torch.from_numpy(array) for name, array in batch.items()}
