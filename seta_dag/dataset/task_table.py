"""The stage file of a task: an Arrow table with one line for each canonical trial.

A line is a row of both variants, or the reason why there is none. Columns of R10 that differ between
the variants stand twice, as `thinking.input_ids` and `nothink.input_ids`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from seta_dag.dataset.lists import to_column
from seta_dag.dataset.row import FIELDS, PER_VARIANT, ROW_SCHEMA
from seta_dag.dataset.rows import TrialRow
from seta_dag.files import written_aside
from seta_dag.tokens.render import VARIANTS, Variant

_OUTCOME: dict[str, pa.DataType] = {
    "run": pa.string(),
    "reason": pa.string(),
    "detail": pa.string(),
    "snapshot": pa.string(),
    "flags": pa.list_(pa.string()),
    "n_assistant_turns": pa.int64(),
    "against_reference": pa.bool_(),
    "content": pa.string(),
}
_SHARED = {name: kind for name, kind in FIELDS.items() if name not in PER_VARIANT}
OUTCOME_COLUMNS = [*_OUTCOME, *(name for name in _SHARED if name != "raw_conv_json")]
_SMALL = ("local_token_count", "n_assistant_tokens", "literal_markup", "proof")
OUTCOME_COLUMNS += [f"{variant}.{name}" for variant in VARIANTS for name in _SMALL]
"""The small columns: all of a task but its texts, ids and masks. `content` and `proof` identify a row."""


def write_task(path: Path, rows: Sequence[TrialRow]) -> None:
    """Writes what became of a task's canonical trials, in one visible step."""
    table = _table(rows)
    with written_aside(path) as aside, pa.ipc.new_file(str(aside), table.schema) as writer:
        writer.write_table(table)


def read_task(path: Path) -> pa.Table:
    """The table of a task, mapped into memory: only the columns used are read from disk."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def variant_rows(table: pa.Table, variant: Variant) -> pa.Table:
    """The rows of one variant in R10's form; the lines given must all be rows."""
    columns = [table[f"{variant}.{name}" if name in PER_VARIANT else name] for name in FIELDS]
    cast = [column.cast(kind) for column, kind in zip(columns, FIELDS.values(), strict=True)]
    return pa.table(cast, schema=ROW_SCHEMA)


def _table(rows: Sequence[TrialRow]) -> pa.Table:
    lines = [{**_identity(row), **_outcome(row)} for row in rows]
    kinds = _OUTCOME | _SHARED
    columns = {name: pa.array([line.get(name) for line in lines], kind) for name, kind in kinds.items()}
    for variant in VARIANTS:
        columns |= {f"{variant}.{name}": column for name, column in _variant_columns(rows, variant)}
    return pa.table(columns)


def _outcome(row: TrialRow) -> dict[str, Any]:
    return {
        "run": row.trial.run,
        "reason": row.reason,
        "detail": row.detail,
        "snapshot": row.snapshot,
        "flags": sorted(row.flags),
        "n_assistant_turns": row.n_assistant_turns,
        "against_reference": row.against_reference,
        "content": hashlib.blake2b(orjson.dumps(row.shared), digest_size=16).hexdigest(),
    }


def _identity(row: TrialRow) -> dict[str, Any]:
    return {"task_id": row.trial.task_id, "trial_uid": row.trial.uid, **row.shared}


def _variant_columns(rows: Sequence[TrialRow], variant: Variant) -> Iterator[tuple[str, pa.Array]]:
    made = [row.variants.get(variant) for row in rows]
    ids = [one.tokens.ids if one else np.zeros(0, np.int32) for one in made]
    masks = [one.tokens.mask if one else np.zeros(0, np.int8) for one in made]
    yield "local_token_count", pa.array([len(one) for one in ids], pa.int64())
    yield "n_assistant_tokens", pa.array([one.tokens.n_trainable if one else 0 for one in made], pa.int64())
    yield "chat_template_str", pa.array([one.rendered.text if one else None for one in made], pa.string())
    yield "literal_markup", pa.array([one.literal if one else None for one in made], pa.bool_())
    yield "proof", pa.array([one.proof if one else None for one in made], pa.string())
    yield "input_ids", to_column(ids, pa.int32())
    yield "loss_mask", to_column(masks, pa.int8())
