"""The dataset's card: README.md, its numbers from the shards and the ledger, its words from the template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seta_dag import __version__
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import LedgerLine, count_dispositions, count_reasons
from seta_dag.dataset.stats import Stats, one_line
from seta_dag.hub.card.front_matter import card_yaml
from seta_dag.hub.card.prose import Prose
from seta_dag.hub.card.template import card_template
from seta_dag.store.layout import FORMAT_VERSION
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What a card says of the build beside what the shards and the ledger hold.

    `student` is the name that the user gave. `chains` maps each resume chain to its runs, in order;
    `rollout_settings` maps each setting to the values seen over the runs.
    """

    student: str
    tokenizer_sha256: str
    template_sha256: str
    chains: Mapping[str, Sequence[str]]
    rollout_settings: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    filters: Filters = field(default_factory=Filters)
    runs_glob: str = "*"
    rules_version: str = FORMAT_VERSION
    tool_version: str = __version__


@dataclass(frozen=True, slots=True)
class RunCounts:
    """One run, the `place`-th of `of` in its chain, and what became of its trials."""

    run: str
    place: int
    of: int
    trials: int
    superseded: int
    dropped: int
    rows: int


@dataclass(frozen=True, slots=True)
class TrialCounts:
    """What became of all trials; `flags` counts rows, `runs` has the runs of a chain together, in order."""

    seen: int
    dispositions: Mapping[str, int]
    reasons: Mapping[str, int]
    flags: Mapping[str, int]
    runs: Sequence[RunCounts]


def render_card(
    stats: Stats,
    ledger_lines: Iterable[LedgerLine],
    build: BuildFacts,
    variant: Variant,
    prose: Prose,
    companion: str | None,
    repo_id: str | None = None,
) -> str:
    """The whole text of README.md. The same values always give the same text (R12).

    `repo_id` is the Hub id that the dataset is to have, `companion` the other variant's, if any.
    """
    words = {"build": build, "variant": variant, "prose": prose, "companion": companion, "repo_id": repo_id}
    counts = count_trials(list(ledger_lines), build.chains)
    return card_template().render(words, yaml=card_yaml(stats, prose.license), stats=stats, counts=counts)


def count_trials(lines: Sequence[LedgerLine], chains: Mapping[str, Sequence[str]]) -> TrialCounts:
    """What the ledger's lines say, in the form in which the card shows it."""
    flags = Counter(flag for line in lines if line["disposition"] == "row" for flag in line["flags"])
    of_run = Counter((one_line(line["run"]), line["disposition"]) for line in lines)
    runs = [
        _run_counts(of_run, one_line(run), place, len(chain))
        for _, chain in sorted(chains.items())
        for place, run in enumerate(chain, 1)
    ]
    dispositions, reasons = count_dispositions(lines), count_reasons(lines)
    return TrialCounts(len(lines), dispositions, reasons, dict(sorted(flags.items())), runs)


def _run_counts(counts: Mapping[tuple[str, str], int], run: str, place: int, of: int) -> RunCounts:
    superseded, dropped, rows = (counts[run, kind] for kind in ("superseded", "dropped", "row"))
    return RunCounts(run, place, of, superseded + dropped + rows, superseded, dropped, rows)
