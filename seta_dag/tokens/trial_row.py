"""The result of building one trial, and the digest that identifies a proved row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xxhash import xxh3_128

from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.tokens.log_columns import LogColumns
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class VariantCounts:
    """What is known of a row in one variant.

    Attributes:
        local_token_count: number of token ids.
        n_assistant_tokens: number of those that are trained.
        literal_markup: whether ordinary text spells an added token.
        proof: digest of the proved row, see `digest`.
    """

    local_token_count: int
    n_assistant_tokens: int
    literal_markup: bool
    proof: str


@dataclass(slots=True)
class TrialRow:
    """A canonical trial: a row in both variants, or the reason why there is none.

    The long columns are not here but in the piece's file, see `piece_file`.
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
    named_secrets: tuple[str, ...] = ()
    """Values under the names of credentials in the log, if secrets are redacted."""
    first_batch: int = 0
    """Index of the row's first batch in the piece's file."""
    columns: LogColumns | None = None
    """The columns that both variants share; None without a usable log."""
    counts: dict[Variant, VariantCounts] = field(default_factory=dict)
    """By variant; empty or incomplete if the trial was dropped."""

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
