"""Small datasets to publish and load: `README.md` and `data/train-*.parquet`, without a build."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.rollouts.sources.usage import TOKEN_COUNTS

CARD = """---
license: apache-2.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
---
# Sample
"""

Row = dict[str, Any]


def row(number: int, **given: Any) -> Row:
    """Return the row of task `task_<number>`: `number + 3` tokens, all trainable except the first two.

    `given` replaces columns.
    """
    n_tokens = number + 3
    uid = f"task_{number}_t0_abc{number:03}"
    return {
        "task_id": f"task_{number}",
        "trial_uid": uid,
        "reward": 0.5,
        "model": "kimi-k2.5",
        "conv_json_path": f"run/trials/{uid}/conv.json",
        "provider_token_counts": dict.fromkeys(TOKEN_COUNTS),
        "local_token_count": n_tokens,
        "n_assistant_tokens": n_tokens - 2,
        "n_messages": 2,
        "raw_conv_json": "{}",
        "chat_template_str": f"<|im_start|>user\ntask {number}<|im_end|>\n",
        "input_ids": list(range(100, 100 + n_tokens)),
        "loss_mask": [0, 0] + [1] * (n_tokens - 2),
        **given,
    }


def write_dataset(folder: Path, shards: Iterable[Sequence[Row]], card: str = CARD) -> Path:
    """Write a dataset with one shard per sequence of rows; it replaces everything in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text(card)
    tables = [pa.Table.from_pylist(list(rows), schema=ROW_SCHEMA) for rows in shards]
    for number, table in enumerate(tables):
        pq.write_table(table, folder / f"data/train-{number:05}-of-{len(tables):05}.parquet")
    return folder


def sample(folder: Path, shards: int = 2, rows: int = 3) -> Path:
    """Write a dataset of `shards` shards with `rows` rows each, whose numbers are consecutive."""
    return write_dataset(folder, [[row(s * rows + r) for r in range(rows)] for s in range(shards)])
