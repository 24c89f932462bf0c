"""Columns of a row: names, order and types (rule R10, docs/rules.md)."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from seta_dag.rollouts.sources.usage import TOKEN_COUNTS

FIELDS: dict[str, pa.DataType] = {
    "task_id": pa.string(),
    "trial_uid": pa.string(),
    "reward": pa.float64(),
    "model": pa.string(),
    "conv_json_path": pa.string(),
    "provider_token_counts": pa.struct([(name, pa.int64()) for name in TOKEN_COUNTS]),
    "local_token_count": pa.int64(),
    "n_assistant_tokens": pa.int64(),
    "n_messages": pa.int64(),
    "raw_conv_json": pa.string(),
    "chat_template_str": pa.string(),
    "input_ids": pa.list_(pa.int32()),
    "loss_mask": pa.list_(pa.int64()),
}
PER_VARIANT = ("local_token_count", "n_assistant_tokens", "chat_template_str", "input_ids", "loss_mask")
"""Columns that differ between the thinking and the nothink row of a trial."""
LONG = frozenset({"raw_conv_json", "chat_template_str", "input_ids", "loss_mask"})
"""Columns with long values; all others together take a few hundred bytes per row."""

_NAMES = {pa.string(): "string", pa.float64(): "float64", pa.int64(): "int64", pa.int32(): "int32"}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """Return a type in the JSON form of `datasets`, without importing `datasets`, which is optional."""
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": _NAMES[kind], "_type": "Value"}


FEATURES: dict[str, Any] = {name: _feature(kind) for name, kind in FIELDS.items()}
"""The columns as `datasets.Features.to_dict()` returns them."""

ROW_SCHEMA: pa.Schema = pa.schema(
    list(FIELDS.items()), metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})}
)
"""Schema of the shards; its metadata makes `load_dataset` return exactly these features."""
