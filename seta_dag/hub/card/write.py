"""Write a card next to its shards, in one visible step."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import read_filters, read_ledger
from seta_dag.dataset.stats import Stats, read_stats
from seta_dag.hub.card.prose import Prose
from seta_dag.hub.card.render import BuildFacts, render_card
from seta_dag.rollouts.listing.run_settings import rollout_settings
from seta_dag.rollouts.listing.trials import run_at
from seta_dag.rollouts.merge import Merged
from seta_dag.store.atomic import write_bytes
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.variants import VARIANTS, Variant


def write_card(out: OutputLayout, variant: Variant, facts: BuildFacts, prose: Prose, repo: str) -> Stats:
    """Write README.md of a variant from its shards and the ledger, and return its statistics.

    `repo` is a Hub id that contains `{variant}`, or empty.
    """
    folder = out.dataset(variant)
    stats = read_stats(folder, out.shard_facts(variant))
    # Both ids are needed: each card links to the other variant.
    ids = {name: repo.replace("{variant}", name) if repo else None for name in VARIANTS}
    companion = next(ids[name] for name in VARIANTS if name != variant)
    text = render_card(stats, read_ledger(out.ledger), facts, variant, prose, companion, ids[variant])
    write_bytes(folder / "README.md", text.encode())
    return stats


def build_facts(
    root: Path, merged: Merged, student: Student, filters: Filters, runs_glob: str, redact: bool = False
) -> BuildFacts:
    """Collect what the card says about a build apart from the numbers."""
    chains: dict[str, list[str]] = defaultdict(list)
    for run in sorted(map(run_at, merged.runs), key=lambda run: run.order):
        chains[run.chain].append(run.path)
    return BuildFacts(
        student=student.name,
        tokenizer_sha256=student.tokenizer_sha256,
        template_sha256=student.template_sha256,
        chains=chains,
        rollout_settings=rollout_settings(root, merged.runs),
        filters=filters,
        runs_glob=runs_glob,
        redact=redact,
    )


def facts_of(
    out: OutputLayout, root: Path, merged: Merged, student: Student, runs_glob: str, redact: bool = False
) -> BuildFacts:
    """Collect the facts of the build under `out`, with the filters that its ledger was made with."""
    return build_facts(root, merged, student, read_filters(out.ledger), runs_glob, redact)
