"""Compare the written shards with the schema, the ledger and the build (rules R10 and R11, docs/rules.md).

Each check returns one sentence per fault; an empty list means that it passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.dataset.shards.facts import RowFacts, Shard
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.store.parquet import opened
from seta_dag.tokens.log_columns import SHORT
from seta_dag.tokens.outcomes import TrialOutcome
from seta_dag.tokens.variants import Variant

_COMPARED = ("task_id", "trial_uid", "reward", "n_messages", "local_token_count", "n_assistant_tokens")
_SHOWN = 5  # differing rows; when one build goes wrong, usually all of its rows differ


def wrong_schemas(dataset: Path) -> list[str]:
    """Find shards whose columns, types or metadata differ from `ROW_SCHEMA`; no shard is a fault too.

    Raises:
        DatasetError: if a shard cannot be read.
    """
    paths = shard_paths(dataset)
    wrong = [path.name for path in paths if not _has_row_schema(path)]
    faults = [f"{name}: its schema is not that of a row" for name in wrong]
    return faults if paths else [f"{dataset}: no shard"]


def _has_row_schema(path: Path) -> bool:
    with opened(path) as file:
        schema = file.schema_arrow
    # `equals` ignores the metadata by default.
    return bool(schema.equals(ROW_SCHEMA) and schema.metadata == ROW_SCHEMA.metadata)


def wrong_rows(shards: Iterable[Shard], lines: Iterable[LedgerLine], variant: Variant) -> list[str]:
    """Find rows that are missing, superfluous or out of order, or that differ from their ledger line."""
    found = [row for shard in shards for row in shard.rows]
    order = [(row.task_id, row.trial_uid, row.conv_json_path or "") for row in found]
    written = [tuple(getattr(row, name) for name in _COMPARED) for row in found]
    wanted = [_as_row(line, variant) for line in lines if line.disposition == "row"]
    # Rows are compared as sets below, so the order needs a check of its own.
    faults = [] if order == sorted(order) else ["rows are not sorted by task_id, trial_uid, conv_json_path"]
    # By repr, since a column of a damaged shard can be null, which does not compare with a number.
    for row in sorted(set(wanted).symmetric_difference(written), key=repr)[:_SHOWN]:
        faults.append(f"{row[1]}: only in the {'ledger' if row in wanted else 'shards'}: {row}")
    # Sets can't tell a row from two equal ones; only their number can.
    if not faults and len(written) != len(wanted):
        faults.append(f"{len(written)} rows in the shards, {len(wanted)} in the ledger")
    return faults


def _as_row(line: LedgerLine, variant: Variant) -> tuple[Any, ...]:
    """Return the values of the `_COMPARED` columns that the row of a ledger line must have."""
    counts = line.tokens(variant), line.trainable_tokens(variant)
    return line.task_id, line.trial_uid, line.reward, line.n_messages, *counts


def wrong_lengths(shards: Sequence[Shard]) -> list[str]:
    """Find rows whose ids, mask and counts contradict each other, or that train on no token."""
    wrong = [(shard.name, row) for shard in shards for row in shard.rows if not _fits(row)]
    return [f"{name}, {row.trial_uid}: ids, mask and counts do not fit together" for name, row in wrong]


def _fits(row: RowFacts) -> bool:
    lengths = row.local_token_count == row.ids == row.mask
    return bool(lengths and row.n_assistant_tokens == row.ones > 0 and row.others == 0)


def altered_rows(
    shards: Iterable[Shard], outcomes: Mapping[str, Sequence[TrialOutcome]], variant: Variant
) -> list[str]:
    """Find rows whose log, or any other column that the variants share, is not as the build wrote it.

    Text, ids and mask that are those of no row are left to the proofs. `outcomes` are the outcomes of all
    built trials, keyed by task id.
    """
    built = [one for lines in outcomes.values() for one in lines if one.reason is None]
    written = {(one.row.content, one.of(variant).proof) for one in built}
    contents, proofs = {content for content, _ in written}, {proof for _, proof in written}
    of_trial = {(one.task_id, one.trial_uid): one for one in built}
    return [
        f"{row.trial_uid}: {_altered(row, of_trial.get((row.task_id, row.trial_uid)))}"
        for row in (row for shard in shards for row in shard.rows)
        # A row whose log is one trial's and whose text is another's is altered, too.
        if row.content not in contents or ((row.content, row.digest) not in written and row.digest in proofs)
    ]


def _altered(row: RowFacts, built: TrialOutcome | None) -> str:
    if built is None:
        return "not a row of this build"
    names = [name for name in SHORT[2:] if getattr(row, name) != getattr(built.row, name)]
    return f"{', '.join(names) or 'raw_conv_json'} not as the build wrote it"
