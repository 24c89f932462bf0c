"""Outcomes of canonical trials, as the table of the stage `tokens` keeps them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seta_dag.executor.stage_table import StageTable
from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.json_reader import clean
from seta_dag.tokens.log_columns import LogColumns
from seta_dag.tokens.trial_row import TrialRow, VariantCounts
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What became of one canonical trial.

    Attributes:
        task_id: its task.
        trial_uid: name of its directory.
        run: path of its run, relative to the rollouts root.
        reason: why it has no row; None for a row.
        detail: one sentence about the reason.
        snapshot: file name of the chosen log.
        flags: sorted.
        notes: where the flags of rules R4 and R5 arose.
        n_assistant_turns: of the conversation, counting the final turn.
        n_reasoning_turns: those of them that have reasoning.
        reasoning_logged: whether any usable log of the trial holds reasoning.
        against_reference: whether the ids were checked with the reference engine.
        at: index of its first batch in the piece's file.
        columns: those that the variants share; None without a usable log.
        thinking: counts and proof in this variant; None if it was dropped before.
        nothink: likewise.
    """

    task_id: str
    trial_uid: str
    run: str
    reason: str | None
    detail: str | None
    snapshot: str | None
    flags: tuple[str, ...]
    notes: tuple[Note, ...]
    n_assistant_turns: int | None
    n_reasoning_turns: int | None
    reasoning_logged: bool | None
    against_reference: bool
    at: int
    columns: LogColumns | None
    thinking: VariantCounts | None
    nothink: VariantCounts | None

    @property
    def row(self) -> LogColumns:
        """The columns of a trial that has a row."""
        assert self.columns is not None  # noqa: S101 - a row has them; see `TrialRow`
        return self.columns

    def of(self, variant: Variant) -> VariantCounts:
        """Return the counts of a trial that has a row."""
        counts = self.thinking if variant == "thinking" else self.nothink
        assert counts is not None  # noqa: S101 - a row has both
        return counts


OUTCOMES = StageTable("tokens", TrialOutcome)
_LONGEST_DETAIL = 200  # characters


def outcome(row: TrialRow) -> TrialOutcome:
    """Return what the table keeps about a trial."""
    return TrialOutcome(
        task_id=row.trial.task_id or "",
        trial_uid=row.trial.uid,
        run=row.trial.run,
        reason=row.reason and str(row.reason),
        detail=row.detail,
        snapshot=row.snapshot,
        # A set has no order, but the table must be the same each time (rule R12).
        flags=tuple(sorted(map(str, row.flags))),
        notes=tuple(map(_shortened, row.notes)),
        n_assistant_turns=row.n_assistant_turns,
        n_reasoning_turns=row.n_reasoning_turns,
        reasoning_logged=row.reasoning_logged,
        against_reference=row.against_reference,
        at=row.first_batch,
        columns=row.columns,
        thinking=row.counts.get("thinking"),
        nothink=row.counts.get("nothink"),
    )


def _shortened(note: Note) -> Note:
    # A detail can quote a log, which may hold lone surrogates and keys of any length.
    detail = clean(note.detail)
    return replace(note, detail=detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL]}…")
