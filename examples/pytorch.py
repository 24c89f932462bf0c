"""A plain PyTorch loop over padded batches.

pip install seta-dag torch
python examples/pytorch.py data/out/thinking
"""

import sys

from seta_dag import collate, get_seta_sft_dataset

PAD_ID = 151643  # Qwen3's <|endoftext|>


def batches(path: str, size: int):
    """Yield batches of tensors: `input_ids`, `attention_mask` and `labels`, each (size, longest)."""
    rows = get_seta_sft_dataset(path, split="train", max_length=16384)
    for start in range(0, len(rows), size):
        yield collate([rows[i] for i in range(start, min(start + size, len(rows)))], pad_id=PAD_ID)


def train(path: str, model, optimizer) -> None:
    """Train for one epoch. `model` is a causal language model of transformers, which shifts labels itself."""
    for batch in batches(path, size=4):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


if __name__ == "__main__":
    for batch in batches(sys.argv[1], size=4):
        print({name: tuple(array.shape) for name, array in batch.items()})
