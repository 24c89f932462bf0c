"""Rows with labels for TRL, and padded batches for a plain PyTorch loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seta_dag.loaders.areal import get_seta_sft_dataset
from seta_dag.loaders.labels import collate, with_labels
from seta_dag_tests.support.hub import LoopbackHub
from seta_dag_tests.support.hub.dataset import sample


def test_labels_are_the_trainable_ids_and_minus_100_elsewhere(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d", shards=2, rows=700)
    loaded = get_seta_sft_dataset(str(folder), "train", train_ratio=0.7)
    with_label_column = with_labels(loaded)
    assert with_label_column.column_names == ["input_ids", "attention_mask", "labels"]
    assert list(with_label_column) == [
        {
            "input_ids": one["input_ids"],
            "attention_mask": [1] * len(one["input_ids"]),
            "labels": [i if m else -100 for i, m in zip(one["input_ids"], one["loss_mask"], strict=True)],
        }
        for one in loaded
    ]


def test_a_batch_is_padded_on_the_right_and_with_label_column_by_the_mask() -> None:
    batch = collate(
        [{"input_ids": [5, 6, 7], "loss_mask": [0, 1, 1]}, {"input_ids": [8], "loss_mask": [0]}], pad_id=9
    )
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[-100, 6, 7], [-100, -100, -100]]
    assert {array.dtype for array in batch.values()} == {np.dtype(np.int64)}
