"""Rows for AReaL: exactly `input_ids` and `loss_mask`, split by task.

    pip install seta-dag
    python examples/areal.py data/out/thinking

`get_seta_sft_dataset` has the signature of the reference's loader for AReaL.
"""

import sys

from seta_dag import get_seta_sft_dataset


def splits(path: str, train_ratio: float = 0.95):
    """Return the train and test rows. All trials of a task are on the same side."""
    options = {"max_length": 16384, "train_ratio": train_ratio}
    train = get_seta_sft_dataset(path, split="train", **options)
    return train, get_seta_sft_dataset(path, split="test", **options)


if __name__ == "__main__":
    train, test = splits(sys.argv[1])
    print(f"{len(train)} rows to train on, {len(test)} to test on, columns {train.column_names}")
