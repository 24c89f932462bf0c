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
MEANINGS: dict[str, str] = {
    "task_id": "name of the task",
    "trial_uid": "name of the trial directory, `<task_id>_t<i>_<hash>`; i numbers the trajectories of a task",
    "reward": "passed tests / all tests, from the trial's `verifier/ctrf.json`: 0.0 to 1.0",
    "model": "model named in the trial's log; null if the log does not name one",
    "conv_json_path": "log that the row was made from, relative to the rollouts directory",
    "provider_token_counts": (
        "token counts that the provider reported for the logged model call; null where it reported none"
    ),
    "local_token_count": "length of `input_ids`",
    "n_assistant_tokens": "sum of `loss_mask`: the number of trained tokens",
    "n_messages": "number of logged messages, including the final turn",
    "raw_conv_json": "the complete log, as JSON text",
    "chat_template_str": "the conversation rendered with the student's chat template",
    "input_ids": "token ids of `chat_template_str`",
    "loss_mask": "1 for each trained token, 0 for all others; same length as `input_ids`",
}
"""Meaning of each column in a few words, in Markdown, as cards and the UI show it."""
PER_VARIANT = ("local_token_count", "n_assistant_tokens", "chat_template_str", "input_ids", "loss_mask")
"""Columns that differ between the thinking and the nothink row of a trial."""
LONG = frozenset({"raw_conv_json", "chat_template_str", "input_ids", "loss_mask"})
"""Columns with long values; all others together take a few hundred bytes per row."""

_NAMES = {pa.string(): "string", pa.float64(): "float64", pa.int64(): "int64", pa.int32(): "int32"}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """Return a type in the JSON form of `datasets`, without importing `datasets`, which takes 3 seconds."""
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": _NAMES[kind], "_type": "Value"}


FEATURES: dict[str, Any] = {name: _feature(kind) for name, kind in FIELDS.items()}
"""The columns as `datasets.Features.to_dict()` returns them."""

# Version 4 of `datasets` writes "List" for what was called "Sequence" before. All versions read the old name.
_METADATA = json.dumps({"info": {"features": FEATURES}}).replace('"_type": "List"', '"_type": "Sequence"')

ROW_SCHEMA: pa.Schema = pa.schema(list(FIELDS.items()), metadata={"huggingface": _METADATA})
"""Schema of the shards; its metadata makes `load_dataset` return exactly these features."""
