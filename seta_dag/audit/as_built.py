"""Compare a dataset with the state of the build that wrote it, where that is still next to it."""

from __future__ import annotations

from pathlib import Path

from seta_dag.dataset.checks.proofs import read_proofs
from seta_dag.dataset.checks.rows import altered_rows, wrong_rows
from seta_dag.dataset.ledger.ledger import read_ledger
from seta_dag.dataset.shards.known import read_shards
from seta_dag.errors import NotBuiltError
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.layout import OutputLayout, existing
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.variants import VARIANTS


def verify_as_built(folder: Path) -> list[str]:
    """Find rows that are missing, repeated or out of order, or differ in any column; one sentence per row.

    This finds what a row's own log cannot show: a change of the log itself, the reward or the path. A
    dataset that is not in an output directory with the state of its build has no faults of this kind.

    Raises:
        DatasetError: a shard cannot be read.
    """
    variant = next((name for name in VARIANTS if name == folder.resolve().name), None)
    out = OutputLayout(folder.resolve().parent)
    if variant is None:
        return []
    try:
        outcomes = OUTCOMES.built(out, read_merged(out.resume_chain).fingerprints)
    except NotBuiltError:
        return []
    shards, lines = read_shards(folder), read_ledger(existing(out.ledger, "ledger"))
    unproved = read_proofs(shards, outcomes, variant).unproved
    return [
        *wrong_rows(shards, lines, variant),
        *altered_rows(shards, outcomes, variant),
        *(f"{uid}: not the row that was proved" for uid in unproved),
    ]
