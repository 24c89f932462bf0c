"""Fine-tune with TRL: the loss is computed on exactly the tokens of the loss mask.

    pip install seta-dag trl
    python examples/trl_labels.py data/out/thinking Qwen/Qwen3-0.6B

TRL uses a `labels` column as it is. It would ignore the loss mask itself, and train on every token.
"""

import sys

from seta_dag import get_seta_sft_dataset, with_labels


def training_rows(path: str, max_length: int = 16384):
    """Return rows with `input_ids`, `attention_mask` and `labels`.

    Rows longer than `max_length` are dropped, not truncated.
    """
    return with_labels(get_seta_sft_dataset(path, split="train", max_length=max_length))


def train(path: str, model: str) -> None:
    from trl import SFTConfig, SFTTrainer

    # Without max_length=None, TRL would truncate every row to 1,024 tokens.
    args = SFTConfig(output_dir="sft", max_length=None)
    SFTTrainer(model, args=args, train_dataset=training_rows(path)).train()


if __name__ == "__main__":
    train(sys.argv[1], sys.argv[2])
