"""How assets describe themselves in the UI: columns, rows, places, and what a build has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from seta_dag.dataset.ledger.ledger import LEDGER_SCHEMA
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.schema import MEANINGS, ROW_SCHEMA
from seta_dag.dataset.shards.reader import read_batches
from seta_dag.reports.printable import on_one_line, printable
from seta_dag.tokens.variants import VARIANTS, Variant

OWNERS = ["team:datasets"]
_ROWS_SHOWN, _LONGEST = 10, 100
_USER = "<|im_start|>user\n"
_SHOWN = {
    "trial_uid": "trial", "reward": "reward", "local_token_count": "tokens",
    "n_assistant_tokens": "trainable", "chat_template_str": "first words",
}  # fmt: skip
"""Columns of the preview, and their headings."""


def row_columns() -> dg.TableSchema:
    """Return the columns of a dataset, with their types and meanings."""
    return _columns(ROW_SCHEMA, MEANINGS)


def ledger_columns() -> dg.TableSchema:
    """Return the columns of the ledger with their types."""
    return _columns(LEDGER_SCHEMA, {})


def _columns(schema: pa.Schema, meanings: Mapping[str, str]) -> dg.TableSchema:
    columns = [dg.TableColumn(one.name, str(one.type), meanings.get(one.name)) for one in schema]
    return dg.TableSchema(columns)


def located(path: Path) -> dict[str, Any]:
    """Return where a file or folder is, for a person and for a program."""
    return {"path": dg.MetadataValue.path(path), "dagster/uri": path.absolute().as_uri()}


def preview(shards: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the first rows of a dataset: trial, reward, tokens and the first words of the user."""
    if not shards:
        return []
    batch = next(read_batches(shards[0], list(_SHOWN)), None)
    rows = batch.slice(0, _ROWS_SHOWN).to_pylist() if batch is not None else []
    return [{name: _shown(name, row[column]) for column, name in _SHOWN.items()} for row in rows]


def _shown(name: str, value: Any) -> Any:
    if name == "reward":
        return round(value, 3)
    if name == "first words":
        value = value.partition(_USER)[2] or value
    return on_one_line(printable(value[:_LONGEST])) if isinstance(value, str) else value


def changes(before: Sequence[LedgerLine] | None, after: Sequence[LedgerLine]) -> dict[str, int]:
    """Return how the rows differ from those of the last build; nothing if there was none.

    A row has changed if its reward, flags or tokens have.
    """
    if before is None:
        return {}
    old, new = _rows(before), _rows(after)
    common = old.keys() & new.keys()
    return {
        "rows added": len(new.keys() - old.keys()),
        "rows changed": sum(old[key] != new[key] for key in common),
        "rows removed": len(old.keys() - new.keys()),
        **{f"{name} tokens added": _tokens(after, name) - _tokens(before, name) for name in VARIANTS},
    }


def _rows(lines: Iterable[LedgerLine]) -> dict[tuple[str, str, str], LedgerLine]:
    return {line.key: line for line in lines if line.disposition == "row"}


def _tokens(lines: Iterable[LedgerLine], variant: Variant) -> int:
    return sum(line.tokens(variant) for line in lines if line.disposition == "row")
