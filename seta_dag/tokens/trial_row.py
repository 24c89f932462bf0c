"""What became of a canonical trial, and the digest that identifies a proved row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xxhash import xxh3_128

from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.listing.trials import Trial


@dataclass(slots=True)
class TrialRow:
    """What became of a canonical trial: a row in both variants, or a `reason` with a `detail`.

    `small` holds the short columns of R10, and for each variant its counts and its `proof`: the digest of
    what was proved. `at` is the place of the row's first batch in the task's file.
    """

    trial: Trial
    report: Report
    reason: str | None = None
    detail: str | None = None
    flags: set[str] = field(default_factory=set)
    against_reference: bool = False
    snapshot: str | None = None
    n_assistant_turns: int | None = None
    at: int = 0
    small: dict[str, Any] = field(default_factory=dict)

    def dropped(self, reason: str, detail: str | None = None) -> TrialRow:
        """This trial without a row."""
        self.reason, self.detail = reason, detail
        return self


def digest(text: Any, ids: Any, mask: Any) -> str:
    """What identifies a proved row: its text, its ids as int32 and its mask as int8, little-endian.

    Each is anything that gives its bytes as a buffer.
    """
    found = xxh3_128(text)
    found.update(ids)
    found.update(mask)
    return found.hexdigest()
