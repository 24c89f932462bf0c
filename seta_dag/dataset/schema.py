"""R10: the one statement of what a row is: columns, order, types."""

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
"""The columns in which the thinking and the nothink row of a trial differ."""
LONG = frozenset({"raw_conv_json", "chat_template_str", "input_ids", "loss_mask"})
"""The columns that are long; all others together are a few hundred bytes a row."""

_NAMES = {pa.string(): "string", pa.float64(): "float64", pa.int64(): "int64", pa.int32(): "int32"}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": _NAMES[kind], "_type": "Value"}


FEATURES: dict[str, Any] = {name: _feature(kind) for name, kind in FIELDS.items()}
"""The columns as `datasets.Features.to_dict()` gives them."""

ROW_SCHEMA: pa.Schema = pa.schema(
    list(FIELDS.items()), metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})}
)
"""The shards' schema; its metadata makes `load_dataset` give exactly these features."""
