"""What became of each task's canonical trials, without their texts: what the stage `tokens` keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from seta_dag.executor.stage import records
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.log_columns import SHORT_COLUMNS
from seta_dag.tokens.trial_row import TrialRow
from seta_dag.tokens.variants import VARIANTS

TrialOutcome = dict[str, Any]
"""A trial by `trial_uid` and `run`; `reason` and `detail` where it gives no row; the short columns of R10,
those that differ between the variants as `thinking.local_token_count`; `content` and `thinking.proof`, which
identify the row; `at`, the place of its first batch in the task's file."""

_COUNTED = ("local_token_count", "n_assistant_tokens", "literal_markup", "proof")
_SMALL = [*SHORT_COLUMNS, "content", *(f"{variant}.{name}" for variant in VARIANTS for name in _COUNTED)]


def outcome(row: TrialRow) -> TrialOutcome:
    """What is kept of a trial; every key is always there."""
    return {
        **dict.fromkeys(_SMALL),
        **row.small,
        "task_id": row.trial.task_id,
        "trial_uid": row.trial.uid,
        "run": row.trial.run,
        "reason": row.reason,
        "detail": row.detail,
        "snapshot": row.snapshot,
        "flags": sorted(row.flags),
        "n_assistant_turns": row.n_assistant_turns,
        "against_reference": row.against_reference,
        "at": row.at,
    }


def read_outcomes(out: OutputLayout, fingerprints: Mapping[str, str]) -> dict[str, list[TrialOutcome]]:
    """The outcomes of every task whose stage file is whole, by task."""
    return {task: orjson.loads(kept) for task, kept in records(out, "tokens", fingerprints).items()}
