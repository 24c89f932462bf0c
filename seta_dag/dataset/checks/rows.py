"""What the written shards hold, held against the ledger and the schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from seta_dag.dataset.ledger.ledger import LedgerLine
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.dataset.shards.reader import RowFacts, Shard
from seta_dag.store.parquet import opened
from seta_dag.tokens.variants import Variant

_COMPARED = ("task_id", "trial_uid", "reward", "n_messages", "local_token_count", "n_assistant_tokens")
_SHOWN = 5


def wrong_schemas(dataset: Path) -> list[str]:
    """A sentence for each shard whose columns, types or metadata are not exactly those of R10."""
    paths = shard_paths(dataset)
    wrong = [path.name for path in paths if not _has_row_schema(path)]
    faults = [f"{name}: its schema is not that of a row" for name in wrong]
    return faults if paths else [f"{dataset}: no shard"]


def _has_row_schema(path: Path) -> bool:
    with opened(path) as file:
        schema = file.schema_arrow
    return bool(schema.equals(ROW_SCHEMA) and schema.metadata == ROW_SCHEMA.metadata)


def wrong_rows(shards: Iterable[Shard], lines: Iterable[LedgerLine], variant: Variant) -> list[str]:
    """A sentence for each row that is not the ledger's, or is missing, or out of order."""
    found = [row for shard in shards for row in shard.rows]
    order = [(row["task_id"], row["trial_uid"], row["conv_json_path"]) for row in found]
    written = [tuple(row[name] for name in _COMPARED) for row in found]
    wanted = [_as_row(line, variant) for line in lines if line["disposition"] == "row"]
    faults = [] if order == sorted(order) else ["rows are not sorted by task_id, trial_uid, conv_json_path"]
    for row in sorted(set(wanted).symmetric_difference(written))[:_SHOWN]:
        faults.append(f"{row[1]}: only in the {'ledger' if row in wanted else 'shards'}: {row}")
    if not faults and len(written) != len(wanted):
        faults.append(f"{len(written)} rows in the shards, {len(wanted)} in the ledger")
    return faults


def _as_row(line: LedgerLine, variant: Variant) -> tuple[Any, ...]:
    counts = {"local_token_count": f"{variant}_tokens", "n_assistant_tokens": f"{variant}_trainable_tokens"}
    return tuple(line[counts.get(name, name)] for name in _COMPARED)


def wrong_lengths(shards: Sequence[Shard]) -> list[str]:
    """A sentence for each row whose ids, mask and counts do not fit together."""
    wrong = [(shard.name, row) for shard in shards for row in shard.rows if not _fits(row)]
    return [f"{name}, {row['trial_uid']}: ids, mask and counts do not fit together" for name, row in wrong]


def _fits(row: RowFacts) -> bool:
    lengths = row["local_token_count"] == row["ids"] == row["mask"]
    return bool(lengths and row["n_assistant_tokens"] == row["ones"] > 0 and row["others"] == 0)
