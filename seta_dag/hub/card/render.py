"""Render the card, README.md: its numbers from the shards and the ledger, its words from the template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seta_dag import __version__
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import count_dispositions, count_flags, count_reasons, count_turns
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.stats import Stats, one_line
from seta_dag.hub.card.front_matter import front_matter
from seta_dag.hub.card.prose import Prose
from seta_dag.hub.card.template import card_template
from seta_dag.store.layout import FORMAT_VERSION
from seta_dag.tokens.renderers.registry import template_family
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What a card says about the build that neither the shards nor the ledger contain.

    Attributes:
        student: the name that the user gave; the card shows only the last part of a local path.
        tokenizer_sha256: of `tokenizer.json`, hex.
        template_sha256: of the chat template, hex.
        chains: the runs of each resume chain, in order.
        rollout_settings: the distinct values of each setting over all runs.
        filters: the filters that the ledger was made with.
        runs_glob: the glob that selected the runs.
        redact: whether secrets in the logs were replaced.
        format_version: `FORMAT_VERSION` of the build.
        tool_version: version of seta_dag.
    """

    student: str
    tokenizer_sha256: str
    template_sha256: str
    chains: Mapping[str, Sequence[str]]
    rollout_settings: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    filters: Filters = field(default_factory=Filters)
    runs_glob: str = "*"
    redact: bool = False
    format_version: str = FORMAT_VERSION
    tool_version: str = __version__


@dataclass(frozen=True, slots=True)
class RunCounts:
    """Counts of one run, which is the `place`-th of `of` runs in its chain (from 1)."""

    run: str
    place: int
    of: int
    trials: int
    superseded: int
    dropped: int
    rows: int


@dataclass(frozen=True, slots=True)
class TrialCounts:
    """Counts of all trials.

    Attributes:
        seen: number of ledger lines.
        dispositions: lines by disposition.
        reasons: dropped lines by reason, in order of precedence.
        flags: rows by flag, sorted by name.
        turns: assistant turns of all rows.
        reasoning_turns: those that have reasoning in this variant.
        runs: one entry per run, chain by chain.
    """

    seen: int
    dispositions: Mapping[str, int]
    reasons: Mapping[str, int]
    flags: Mapping[str, int]
    turns: int
    reasoning_turns: int
    runs: Sequence[RunCounts]

    @property
    def reasoning_share(self) -> float:
        """Assistant turns with reasoning divided by all, 0.0 to 1.0."""
        return self.reasoning_turns / self.turns if self.turns else 0.0


def render_card(
    stats: Stats,
    ledger_lines: Iterable[LedgerLine],
    build: BuildFacts,
    variant: Variant,
    prose: Prose,
    companion: str | None,
    repo_id: str | None = None,
) -> str:
    """Return the text of README.md. Equal arguments give equal text (rule R12).

    `repo_id` is the Hub id that the dataset will have, `companion` that of the other variant, if any.
    """
    counts = count_trials(list(ledger_lines), build.chains, variant)
    return card_template().render(
        yaml=front_matter(stats, prose.license, template_family(build.template_sha256)),
        stats=stats,
        counts=counts,
        build=build,
        variant=variant,
        prose=prose,
        companion=companion,
        repo_id=repo_id,
    )


def count_trials(
    lines: Sequence[LedgerLine], chains: Mapping[str, Sequence[str]], variant: Variant
) -> TrialCounts:
    """Count the ledger's lines as the card shows them; runs without a line count 0."""
    of_run = Counter((one_line(line.run), line.disposition) for line in lines)
    runs = [
        _run_counts(of_run, one_line(run), place, len(chain))
        for _, chain in sorted(chains.items())
        for place, run in enumerate(chain, 1)
    ]
    dispositions, reasons = count_dispositions(lines), count_reasons(lines)
    turns, with_reasoning = count_turns(lines)
    reasoning_turns = with_reasoning if variant == "thinking" else 0  # nothink has none (rule R7)
    return TrialCounts(len(lines), dispositions, reasons, count_flags(lines), turns, reasoning_turns, runs)


def _run_counts(counts: Mapping[tuple[str, str], int], run: str, place: int, of: int) -> RunCounts:
    superseded, dropped, rows = (counts[run, kind] for kind in ("superseded", "dropped", "row"))
    return RunCounts(run, place, of, superseded + dropped + rows, superseded, dropped, rows)
