"""Outcomes of canonical trials, as the journal of the stage `tokens` keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from seta_dag.executor.stage import records
from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.json_reader import clean
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.log_columns import SHORT_COLUMNS
from seta_dag.tokens.trial_row import TrialRow
from seta_dag.tokens.variants import VARIANTS

TrialOutcome = dict[str, Any]
"""One trial, as JSON. Every key is always present; a value that the trial doesn't have is null.

- `task_id`, `trial_uid`, `run`, `snapshot`, `flags`, `against_reference`: the trial;
- `n_assistant_turns`, `n_reasoning_turns`, `reasoning_logged`: its conversation and logs;
- `notes`: a `flag`, `message` and `detail` for each place where a flag of rules R4 and R5 arose;
- `reason`, `detail`: why it has no row, null for a row;
- the short columns of rule R10; those that differ between the variants as `thinking.local_token_count`;
- `content`, `thinking.proof`, `nothink.proof`: digests that identify the row;
- `at`: index of its first batch in the task's file.
"""

_LONGEST_DETAIL = 200  # characters
_PER_VARIANT = ("local_token_count", "n_assistant_tokens", "literal_markup", "proof")
_KEYS = [*SHORT_COLUMNS, "content", *(f"{variant}.{name}" for variant in VARIANTS for name in _PER_VARIANT)]


def outcome(row: TrialRow) -> TrialOutcome:
    """Return what the journal keeps about a trial."""
    return {
        **dict.fromkeys(_KEYS),  # for a dropped trial, which may lack some of them
        **row.short_columns,
        "task_id": row.trial.task_id,
        "trial_uid": row.trial.uid,
        "run": row.trial.run,
        "reason": row.reason,
        "detail": row.detail,
        "snapshot": row.snapshot,
        # A set has no order, but the journal must be the same each time (rule R12).
        "flags": sorted(row.flags),
        "n_assistant_turns": row.n_assistant_turns,
        "n_reasoning_turns": row.n_reasoning_turns,
        "reasoning_logged": row.reasoning_logged,
        "notes": [_note(note) for note in row.notes],
        "against_reference": row.against_reference,
        "at": row.first_batch,
    }


def _note(note: Note) -> dict[str, Any]:
    # A detail can quote a log, which may hold lone surrogates and keys of any length.
    detail = clean(note.detail)
    shown = detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL]}…"
    return {"flag": note.flag, "message": note.message, "detail": shown}


def read_outcomes(out: OutputLayout, fingerprints: Mapping[str, str]) -> dict[str, list[TrialOutcome]]:
    """Read the outcomes of all trials, by task id.

    `fingerprints` are the current ones, by task id. A task is left out if it was not built for its current
    fingerprint, or if its stage file is missing or damaged.
    """
    return {task: orjson.loads(record) for task, record in records(out, "tokens", fingerprints).items()}
