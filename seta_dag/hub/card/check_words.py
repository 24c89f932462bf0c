"""Check the card's own words: every line that the template wrote must be there, unchanged.

What a person added (title, description, links, sections) is theirs and is not checked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.stats import Stats
from seta_dag.hub.card.parse import Card, parse_card
from seta_dag.hub.card.prose import Prose
from seta_dag.hub.card.render import BuildFacts, render_card
from seta_dag.tokens.renderers.registry import KNOWN_TEMPLATES
from seta_dag.tokens.student.student import DEFAULT_STUDENT, QWEN3_TOKENIZER_SHA256
from seta_dag.tokens.variants import Variant

_REPO = re.compile(r'^## Loading$.*?load_dataset\("([^"]*)"', re.MULTILINE | re.DOTALL)
_COMPANION = re.compile(r"^## Companion datasets\n\n\[([^]]*)\]", re.MULTILINE)
_PLACE = re.compile(r"(\d+) of \d+")


def wrong_words(
    card: Card, stats: Stats, lines: Sequence[LedgerLine], variant: Variant, filters: Filters
) -> Iterator[str]:
    """Render the card again, with its own names and the numbers of shards and ledger, and compare lines.

    Yields a sentence for each line, heading or YAML value that is not as rendered.
    """
    facts = _facts(card, filters)
    expected = _rendered_again(card, stats, lines, variant, facts)
    # The first heading is the title. A section of a person's own must not pass for one of the card's.
    for heading in expected.headings[1:]:
        if card.headings.count(heading) > 1:
            yield f"it has more than one section {heading}"
    if card.yaml != expected.yaml:
        yield "its YAML does not match these shards"
    yield from _wrong_checksums(facts)
    # Counters, not sets: a line that the template writes twice must be there twice.
    missing = Counter(_own_lines(expected)) - Counter(_own_lines(card))
    yield from (f"this line is missing or was changed: {line}" for line in missing)


def _rendered_again(
    card: Card, stats: Stats, lines: Sequence[LedgerLine], variant: Variant, facts: BuildFacts
) -> Card:
    companion, repo = _named(_COMPANION, card), _named(_REPO, card)
    prose = Prose(license=str(card.at("license")))
    return parse_card(render_card(stats, lines, facts, variant, prose, companion, repo))


def _own_lines(card: Card) -> list[str]:
    """Return all lines but the title, which may be a person's own."""
    return [line for line in card.text.splitlines() if line and not line.startswith("# ")]


def _named(place: re.Pattern[str], card: Card) -> str | None:
    found = place.search(card.text)
    return found[1] if found else None


def _facts(card: Card, filters: Filters) -> BuildFacts:
    """Return the facts of the build that neither shards nor ledger contain, as the card states them."""
    build = {row[0]: row[1] for row in card.tables.get("Build", ())}
    settings = [spans for spans in card.spans.get("Rollouts", ()) if spans]
    return BuildFacts(
        student=build.get("student", ""),
        tokenizer_sha256=build.get("sha256 of its tokenizer.json", ""),
        template_sha256=build.get("sha256 of its chat template", ""),
        chains=_chains(card),
        rollout_settings={name: values for name, *values in settings},
        filters=filters,
        runs_glob=build.get("runs", ""),
        redact="secrets in the logs" in build,
    )


def _chains(card: Card) -> dict[str, list[str]]:
    """Return the runs in order; a new chain begins wherever the positions start again at 1."""
    chains: list[list[str]] = []
    for run, place, *_ in card.tables.get("Merging", ()):
        if not chains or ((found := _PLACE.fullmatch(place)) and found[1] == "1"):
            chains.append([])
        chains[-1].append(run)
    # The card does not name its chains; padded numbers keep their order when they are sorted as text.
    return {f"{number:09}": chain for number, chain in enumerate(chains)}


def _wrong_checksums(facts: BuildFacts) -> Iterator[str]:
    if facts.template_sha256 not in KNOWN_TEMPLATES:
        yield f"Build: no renderer knows a chat template with sha256 {facts.template_sha256}"
    if facts.student == DEFAULT_STUDENT and facts.tokenizer_sha256 != QWEN3_TOKENIZER_SHA256:
        yield f"Build: {facts.tokenizer_sha256} is not the sha256 of {DEFAULT_STUDENT}'s tokenizer.json"
