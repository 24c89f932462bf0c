"""Which rows of the written shards were proved: each is the very row that its proofs were made for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seta_dag.dataset.shards.reader import Shard
from seta_dag.rollouts.reasons import Reason
from seta_dag.tokens.outcomes import TrialOutcome
from seta_dag.tokens.variants import Variant

PROOFS: dict[str, str] = {
    "decodes": "the ids decode to the NFC form of chat_template_str",
    "turns": "the trainable spans are the conversation's assistant turns, reasoning as logged or none",
    "whole_text": "tokenizing chat_template_str whole gives the ids, the reference's token scan the mask",
    "engines_agree": "HF tokenizers gives the same ids",
}
"""What is proved of every row, but the last two: of rows without literal markup, and of a sample."""


_SAID_BY = {
    "decodes": ("decodes",),
    "turns": ("turns", "reasoning"),
    "whole_text": ("whole_text", "token_scan", "markup"),
    "engines_agree": ("engines_agree",),
}


def refused_by(proof: str, detail: str) -> bool:
    """Whether it was this proof that dropped a trial; `detail` is `variant: what failed: where`."""
    return detail.partition(": ")[2].startswith(_SAID_BY[proof])


@dataclass(slots=True)
class ProofReport:
    """Of one variant's shards: rows and tokens by proof, and the rows that no proof is for.

    `refused` are the trials that a proof dropped, uid to sentence; they are in no shard.
    """

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PROOFS, 0))
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PROOFS, 0))
    unproved: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def read_proofs(
    shards: Iterable[Shard], outcomes: Mapping[str, Sequence[TrialOutcome]], variant: Variant
) -> ProofReport:
    """Looks for the proof of each row of the shards in what became of the tasks' trials."""
    proved = ProofReport()
    held: dict[str, list[str]] = {}
    for line in (line for of_task in outcomes.values() for line in of_task):
        if line["reason"] == Reason.NOT_EXACT:
            proved.refused[line["trial_uid"]] = line["detail"]
        elif line["reason"] is None:
            held[line[f"{variant}.proof"]] = _names(line, variant)
    for row in (row for shard in shards for row in shard.rows):
        if row["digest"] not in held:
            proved.unproved.append(row["trial_uid"])
        for proof in held.get(row["digest"], ()):
            proved.rows[proof] += 1
            proved.tokens[proof] += row["ids"]
    return proved


def _names(line: TrialOutcome, variant: Variant) -> list[str]:
    """The proofs that held for a row: which ones apply to it, else it would not be one."""
    whole = [] if line[f"{variant}.literal_markup"] else ["whole_text"]
    return ["decodes", "turns", *whole, *(["engines_agree"] if line["against_reference"] else [])]
