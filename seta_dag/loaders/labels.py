"""Turn rows of `get_seta_sft_dataset` into what TRL and a plain PyTorch loop expect.

TRL (1.16) always uses a `labels` column unchanged. It uses a `completion_mask` only with
`completion_only_loss=True`; otherwise it ignores the mask and trains on every token.

    trainer = SFTTrainer(model, args=SFTConfig(max_length=None), train_dataset=with_labels(train))

For PyTorch, `collate` pads rows to numpy arrays; torch is not imported.

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
"""Label of tokens that are not trained, the `ignore_index` of PyTorch's cross entropy."""

Batch = dict[str, npt.NDArray[np.int64]]
"""Arrays of shape (rows, longest row) by name."""


def with_labels(dataset: Dataset) -> Dataset:
    """Replace the column `loss_mask` with `labels`.

    Labels are a list of int64 per row, same length as `input_ids`: the token id where the mask is 1, else
    `IGNORED`.
    """
    from datasets import Features, List, Value

    features = Features({"input_ids": dataset.features["input_ids"], "labels": List(Value("int64"))})
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
    return pa.table({"input_ids": ids, "labels": pa.ListArray.from_arrays(offsets, labels)})


def collate(rows: Sequence[Mapping[str, Any]], pad_id: int) -> Batch:
    """Pad rows on the right to a batch of `input_ids`, `attention_mask` and `labels`.

    Each is int64 of shape (rows, longest row). `pad_id` is the tokenizer's padding id (151643 for Qwen3).
    Padding and tokens with a `loss_mask` of 0 get the label `IGNORED`. Labels are not shifted, because
    models do that themselves.
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
