"""Rows of `get_seta_sft_dataset` in the forms of TRL and of a plain PyTorch loop.

TRL (1.16): a `labels` column is used as it is, always. A `completion_mask` is not: without
`completion_only_loss=True` the trainer ignores it and trains on every token.

    trainer = SFTTrainer(model, args=SFTConfig(max_length=None), train_dataset=with_labels(train))

PyTorch: `collate` pads with lists and numpy alone.

    def to_tensors(rows):
        return {name: torch.from_numpy(array) for name, array in collate(rows, pad_id).items()}

    loader = DataLoader(train, batch_size=4, collate_fn=to_tensors)
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
"""The label that PyTorch's cross entropy leaves out of the loss."""

Batch = dict[str, npt.NDArray[np.int64]]


def with_labels(dataset: Dataset) -> Dataset:
    """`dataset` with `labels` (int64) for `loss_mask`: the token id where it is 1, else -100."""
    from datasets import Features, List, Value

    features = Features({"input_ids": dataset.features["input_ids"], "labels": List(Value("int64"))})
    return (
        dataset.with_format("arrow")
        .map(_with_labels, batched=True, features=features, remove_columns=["loss_mask"])
        .with_format(None)
    )


def _with_labels(table: pa.Table) -> pa.Table:
    ids, mask = (table.column(name).combine_chunks() for name in ("input_ids", "loss_mask"))
    tokens = ids.flatten().cast(pa.int64())
    labels = pc.if_else(pc.equal(mask.flatten(), 1), tokens, pa.scalar(IGNORED, pa.int64()))
    ends = pc.cumulative_sum(pc.list_value_length(ids)).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.table({"input_ids": ids, "labels": pa.ListArray.from_arrays(offsets, labels)})


def collate(rows: Sequence[Mapping[str, Any]], pad_id: int) -> Batch:
    """A right-padded batch: `input_ids`, `attention_mask` and `labels`, each (rows, longest) of int64.

    `pad_id` is the tokenizer's padding id (Qwen3: 151643). Padding and tokens outside the loss mask
    have the label -100. Models shift labels themselves.
    """
    shape = len(rows), max((len(row["input_ids"]) for row in rows), default=0)
    batch: Batch = {
        "input_ids": np.full(shape, pad_id, np.int64),
        "attention_mask": np.zeros(shape, np.int64),
        "labels": np.full(shape, IGNORED, np.int64),
    }
    for number, row in enumerate(rows):
        ids, mask = np.asarray(row["input_ids"]), np.asarray(row["loss_mask"])
        batch["input_ids"][number, : len(ids)] = ids
        batch["attention_mask"][number, : len(ids)] = 1
        batch["labels"][number, : len(ids)] = np.where(mask == 1, ids, IGNORED)
    return batch
