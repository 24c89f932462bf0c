"""The result of building one trial, and the digest that identifies a proved row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xxhash import xxh3_128

from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.listing.trials import Trial


@dataclass(slots=True)
class TrialRow:
    """A canonical trial: a row in both variants, or the reason why there is none.

    The long columns are not here but in the task's file, see `task_file`.
    """

    trial: Trial
    report: Report
    """The trial's test report; it has the reward (rule R3)."""
    reason: str | None = None
    """Drop reason; None for a row."""
    detail: str | None = None
    """One sentence about `reason`."""
    flags: set[str] = field(default_factory=set)
    """Flags found so far (rule R11)."""
    against_reference: bool = False
    """True if the ids are checked with the reference engine (rule R8)."""
    snapshot: str | None = None
    """File name of the chosen log; None without a usable log (rule R4)."""
    n_assistant_turns: int | None = None
    """Assistant turns of the conversation, counting the final turn; None without a usable log."""
    n_reasoning_turns: int | None = None
    """Those of them that have reasoning; None without a usable log."""
    reasoning_logged: bool | None = None
    """Whether any usable log of the trial holds reasoning; None without a usable log."""
    notes: tuple[Note, ...] = ()
    """Where the flags of rules R4 and R5 arose."""
    first_batch: int = 0
    """Index of the row's first batch in the task's file."""
    short_columns: dict[str, Any] = field(default_factory=dict)
    """The short columns of rule R10 by name, and `content`, a digest of all that the variants share.

    For each variant also its counts and its `proof`, see `digest`, as in `thinking.local_token_count`.
    Empty or incomplete if the trial was dropped.
    """

    def drop(self, reason: str, detail: str | None = None) -> TrialRow:
        """Set the drop reason and return this trial."""
        self.reason, self.detail = reason, detail
        return self


def digest(text: Any, ids: Any, mask: Any) -> str:
    """Return the digest that identifies a proved row.

    It covers the text in UTF-8, the ids as int32 and the mask as int8, little-endian. Each argument is
    anything with the buffer protocol. The digest is made when the row is proved and compared with what is in
    the shards later.
    """
    found = xxh3_128(text)
    found.update(ids)
    found.update(mask)
    return found.hexdigest()
