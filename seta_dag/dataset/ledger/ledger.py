"""The ledger file: one line per trial, each a row, superseded, or dropped with a reason (rule R11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import reasons
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.errors import DatasetError
from seta_dag.executor.memory import give_back
from seta_dag.store.atomic import written_aside
from seta_dag.store.columns import to_columns
from seta_dag.store.parquet import opened
from seta_dag.store.table import arrow_type

DISPOSITIONS = ("row", "superseded", "dropped")

LEDGER_SCHEMA: pa.Schema = pa.schema(arrow_type(LedgerLine).fields)
"""One column per field of `LedgerLine`."""

_FILTERS = b"seta_dag.filters"


def write_ledger(path: Path, lines: Iterable[LedgerLine], filters: Filters) -> None:
    """Write the ledger in one visible step, sorted, with its filters in the file's metadata."""
    ordered = sorted(lines, key=_order)
    kinds = {field.name: field.type for field in LEDGER_SCHEMA}
    table = pa.table(to_columns(ordered, kinds), schema=LEDGER_SCHEMA)
    table = table.replace_schema_metadata({_FILTERS: orjson.dumps(filters.values)})
    with written_aside(path) as aside:
        pq.write_table(table, aside, compression="zstd")
    give_back()


def read_filters(path: Path) -> Filters:
    """Return the filters that the ledger was made with.

    Raises:
        DatasetError: `path` is not a ledger, or its filters cannot be read.
    """
    with opened(path, LEDGER_SCHEMA) as file:
        stored = (file.schema_arrow.metadata or {}).get(_FILTERS, b"{}")
    try:
        return Filters(**orjson.loads(stored))
    except (TypeError, ValueError) as error:  # ConfigError is a ValueError
        raise DatasetError(
            f"{path}: it does not say which filters it was made with; build it again"
        ) from error


def _order(line: LedgerLine) -> tuple[Any, ...]:
    """Sort key with None as the smallest value, so the order never depends on the caller's (rule R12)."""
    task, traj = line.task_id, line.traj_i
    return task or "", -1 if traj is None else traj, line.chain, line.run, line.trial_uid or ""


def read_ledger(path: Path) -> list[LedgerLine]:
    """Return the ledger's lines in order.

    Raises:
        DatasetError: `path` is not a ledger.
    """
    with opened(path, LEDGER_SCHEMA) as file:
        found = file.read().to_pylist()
    try:
        return msgspec.convert(found, list[LedgerLine])
    except msgspec.ValidationError as error:
        raise DatasetError(f"{path}: not a ledger that a build writes ({error}); build it again") from error


def count_dispositions(lines: Iterable[LedgerLine]) -> dict[str, int]:
    """Count the lines by disposition; all three keys are always present."""
    counts = Counter(line.disposition for line in lines)
    return {name: counts[name] for name in DISPOSITIONS}


def count_reasons(lines: Iterable[LedgerLine]) -> dict[str, int]:
    """Count the dropped lines by reason, in order of precedence, without the reasons that do not occur."""
    counts = Counter(line.reason for line in lines if line.reason)
    return {reason: counts[reason] for reason in reasons() if counts[reason]}


def count_turns(lines: Iterable[LedgerLine]) -> tuple[int, int]:
    """Return (assistant turns, those that have reasoning) of all rows, as the thinking variant has them."""
    rows = list(_rows(lines))
    turns = sum(line.n_assistant_turns or 0 for line in rows)
    return turns, sum(line.n_reasoning_turns or 0 for line in rows)


def count_flags(lines: Iterable[LedgerLine]) -> dict[str, int]:
    """Count the rows that have each flag, sorted by name; dropped trials do not count."""
    return dict(sorted(Counter(flag for line in _rows(lines) for flag in line.flags).items()))


def _rows(lines: Iterable[LedgerLine]) -> Iterator[LedgerLine]:
    return (line for line in lines if line.disposition == "row")
