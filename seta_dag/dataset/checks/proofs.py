"""Match the rows of the written shards with the proofs of rules R8 and R9 (docs/rules.md).

A build proves each row before it is written. The digest of the proved row is kept, and a row in a shard
counts as proved only if what was read back has that digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seta_dag.dataset.shards.facts import Shard
from seta_dag.rollouts.reasons import Reason
from seta_dag.tokens.outcomes import TrialOutcome
from seta_dag.tokens.variants import Variant

PROOFS: dict[str, str] = {
    "decodes": "the ids decode to the NFC form of chat_template_str",
    "turns": "the trainable spans are the conversation's assistant turns, reasoning as logged or none",
    "whole_text": "tokenizing chat_template_str gives the ids, the reference's token scan gives the mask",
    "engines_agree": "HF tokenizers gives the same ids",
}
"""What each proof shows.

The first two apply to every row, `whole_text` to rows without literal markup, `engines_agree` to a sample.
"""

_FAILURES = {
    "decodes": ("decodes",),
    "turns": ("turns", "reasoning"),
    "whole_text": ("whole_text", "token_scan", "markup"),
    "engines_agree": ("engines_agree",),
}
"""The words with which a failure of each proof starts."""


def refused_by(proof: str, detail: str) -> bool:
    """Return whether this proof dropped a trial.

    `detail` is the ledger's detail of a `not_exact` trial: `<variant>: <what failed>: <where>`.
    """
    return detail.partition(": ")[2].startswith(_FAILURES[proof])


@dataclass(slots=True)
class ProofReport:
    """Proofs of the rows in one variant's shards.

    Attributes:
        rows: number of proved rows, keyed by proof (see `PROOFS`).
        tokens: number of token ids in these rows, keyed by proof.
        unproved: trial uids of rows that are not identical to a proved row.
        refused: details of the trials that a proof dropped, keyed by uid; they are in no shard.
    """

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PROOFS, 0))
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PROOFS, 0))
    unproved: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def read_proofs(
    shards: Iterable[Shard], outcomes: Mapping[str, Sequence[TrialOutcome]], variant: Variant
) -> ProofReport:
    """Find the proofs of each row by its digest.

    `outcomes` are the outcomes of all built trials, keyed by task id.
    """
    report = ProofReport()
    proofs: dict[str, list[str]] = {}
    for line in (line for task_lines in outcomes.values() for line in task_lines):
        if line.reason == Reason.NOT_EXACT:
            report.refused[line.trial_uid] = line.detail or ""
        elif line.reason is None:
            proofs[line.of(variant).proof] = _applicable(line, variant)
    for row in (row for shard in shards for row in shard.rows):
        if row.digest not in proofs:
            report.unproved.append(row.trial_uid)
        for proof in proofs.get(row.digest, ()):
            report.rows[proof] += 1
            report.tokens[proof] += row.ids
    return report


def _applicable(line: TrialOutcome, variant: Variant) -> list[str]:
    """Return the proofs that apply to a row; it passed them all, otherwise it would not be a row."""
    # Literal markup is encoded as ordinary text (R8), so tokenizing all of the text gives other ids.
    whole_text = [] if line.of(variant).literal_markup else ["whole_text"]
    return ["decodes", "turns", *whole_text, *(["engines_agree"] if line.against_reference else [])]
