"""One line of the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from seta_dag.rollouts.conversation import Note
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What became of one trial, or of a rollout that left none (rule R11). docs/formats.md has the columns.

    `run` and `chain` are relative to the rollouts root, `disposition` is one of `DISPOSITIONS`.
    """

    chain: str
    run: str
    trial_uid: str | None
    task_id: str | None
    traj_i: int | None
    disposition: str = "dropped"
    reason: str | None = None
    detail: str | None = None
    reward: float | None = None
    passed: int | None = None
    total: int | None = None
    termination_reason: str | None = None
    error_stage: str | None = None
    snapshot: str | None = None
    n_messages: int | None = None
    n_assistant_turns: int | None = None
    n_reasoning_turns: int | None = None
    reasoning_logged: bool | None = None
    flags: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    thinking_tokens: int | None = None
    thinking_trainable_tokens: int | None = None
    nothink_tokens: int | None = None
    nothink_trainable_tokens: int | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Task id, run and trial uid, by which a row is known; a trial that has a row has all three."""
        return self.task_id or "", self.run, self.trial_uid or ""

    def tokens(self, variant: Variant) -> int:
        """Return the number of token ids in a variant, 0 for a trial that was not tokenized."""
        return (self.thinking_tokens if variant == "thinking" else self.nothink_tokens) or 0

    def trainable_tokens(self, variant: Variant) -> int:
        """Return the number of trained token ids in a variant, 0 for a trial that was not tokenized."""
        thinking, nothink = self.thinking_trainable_tokens, self.nothink_trainable_tokens
        return (thinking if variant == "thinking" else nothink) or 0
