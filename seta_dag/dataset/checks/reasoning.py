"""Check that a thinking dataset has reasoning (rule R5, docs/rules.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seta_dag.dataset.ledger.ledger import count_turns
from seta_dag.dataset.ledger.line import LedgerLine


@dataclass(frozen=True, slots=True)
class ReasoningReport:
    """Reasoning in the rows of the thinking variant.

    Attributes:
        turns: assistant turns of all rows.
        with_reasoning: those that have reasoning.
        lost: uids of the trials that have a log with reasoning; empty unless `has_none`.
    """

    turns: int
    with_reasoning: int
    lost: tuple[str, ...]

    @property
    def has_none(self) -> bool:
        """True if there are assistant turns, but none has reasoning."""
        return self.turns > 0 and not self.with_reasoning


def read_reasoning(lines: Iterable[LedgerLine]) -> ReasoningReport:
    """Count the assistant turns of the ledger's rows.

    If none has reasoning, look for it in the logs of all trials that were built, rows or not: where one
    holds some, it was lost on the way. Where none does, the teacher does not think.
    """
    lines = list(lines)
    turns, with_reasoning = count_turns(lines)
    is_silent = turns > 0 and not with_reasoning  # without rows, nothing is missing from them
    lost = tuple(line.trial_uid or "" for line in lines if is_silent and line.reasoning_logged)
    return ReasoningReport(turns, with_reasoning, lost)
