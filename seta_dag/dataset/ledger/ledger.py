"""R11: the ledger, one line for every trial: a row, superseded, or dropped with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.filters.filters import Filters
from seta_dag.errors import DatasetError
from seta_dag.executor.memory import give_back
from seta_dag.store.atomic import written_aside
from seta_dag.store.columns import to_columns
from seta_dag.store.parquet import opened
from seta_dag.tokens.variants import VARIANTS

REASONS = (
    "bad_name", "rollout_failed", "not_built", "task_failed", "not_verified", "ctrf_invalid", "no_tests",
    "no_conversation", "no_assistant_turn", "not_exact", "below_min_reward", "too_many_tokens",
)  # fmt: skip
"""Why a trial is dropped; where several apply, the first of them is given."""

_COLUMNS: dict[str, pa.DataType] = {
    "chain": pa.string(),
    "run": pa.string(),
    "trial_uid": pa.string(),
    "task_id": pa.string(),
    "traj_i": pa.int64(),
    "disposition": pa.string(),
    "reason": pa.string(),
    "detail": pa.string(),
    "reward": pa.float64(),
    "passed": pa.int64(),
    "total": pa.int64(),
    "snapshot": pa.string(),
    "n_messages": pa.int64(),
    "n_assistant_turns": pa.int64(),
    "flags": pa.list_(pa.string()),
    **{f"{variant}_{count}": pa.int64() for variant in VARIANTS for count in ("tokens", "trainable_tokens")},
}
LEDGER_SCHEMA: pa.Schema = pa.schema(_COLUMNS)
"""`disposition` is `row`, `superseded` or `dropped`; `run` and `chain` are relative to the rollouts root."""

_FILTERS = b"seta_dag.filters"
LedgerLine = Mapping[str, Any]


def write_ledger(path: Path, lines: Iterable[LedgerLine], filters: Filters) -> None:
    """Writes the ledger, its lines in one order whatever the order given, in one visible step.

    The filters that it was made with are kept in the file's metadata.
    """
    ordered = sorted(lines, key=_order)
    table = pa.table(to_columns(ordered, _COLUMNS), schema=LEDGER_SCHEMA)
    table = table.replace_schema_metadata({_FILTERS: orjson.dumps(filters)})
    with written_aside(path) as aside:
        pq.write_table(table, aside, compression="zstd")
    give_back()


def read_filters(path: Path) -> Filters:
    """The filters that the ledger was made with. Raises `DatasetError` for what is no ledger."""
    with opened(path, LEDGER_SCHEMA) as file:
        kept = (file.schema_arrow.metadata or {}).get(_FILTERS, b"{}")
    try:
        return Filters(**orjson.loads(kept))
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"{path}: it does not say which filters it was made with; build it again"
        ) from error


def _order(line: LedgerLine) -> tuple[Any, ...]:
    task, traj = line["task_id"], line["traj_i"]
    return task or "", -1 if traj is None else traj, line["chain"], line["run"], line["trial_uid"] or ""


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """The ledger's lines, each with every column of `LEDGER_SCHEMA`. Raises `DatasetError`."""
    with opened(path, LEDGER_SCHEMA) as file:
        lines: list[dict[str, Any]] = file.read().to_pylist()
    return lines


def count_dispositions(lines: Iterable[LedgerLine]) -> dict[str, int]:
    """How many lines are rows, superseded and dropped; all three keys are always there."""
    counts = Counter(line["disposition"] for line in lines)
    return {name: counts[name] for name in ("row", "superseded", "dropped")}


def count_reasons(lines: Iterable[LedgerLine]) -> dict[str, int]:
    """How many lines were dropped for each reason that occurs, in the order of `REASONS`."""
    counts = Counter(line["reason"] for line in lines if line["reason"])
    return {reason: counts[reason] for reason in REASONS if counts[reason]}
