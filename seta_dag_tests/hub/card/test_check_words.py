"""Template text is checked word for word; the user's own text and names are not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.hub.card.check import check_card
from seta_dag.hub.card.prose import Prose, Section
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.hub.card.test_check import build, check_with
from seta_dag_tests.hub.card.test_render import FACTS
from seta_dag_tests.support.sample_dataset import sample_ledger


def _numbers_changed_by_one(text: str) -> Iterator[tuple[str, str]]:
    """Yield (changed line, changed card) for each number outside the title and the rollout settings."""
    settings = range(text.index("| setting | value |"), text.index("### Merging"))
    title = range(text.index("\n# "), text.index("\n", text.index("\n# ") + 1))
    for found in re.finditer(r"\d+", text):
        if found.start() not in settings and found.start() not in title:
            changed = text[: found.start()] + f"{int(found[0]) + 1:0{len(found[0])}}" + text[found.end() :]
            yield changed[changed.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0], changed


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_number_changed_by_one_is_reported(tmp_path: Path, variant: Variant) -> None:
    filtered = replace(FACTS, filters=Filters(min_reward=0.5, max_tokens=16384))
    dataset = build(tmp_path, variant, facts=filtered, repo="org/set-1")
    assert check_card(dataset, sample_ledger(), filters=filtered.filters) == []
    numbers = list(_numbers_changed_by_one((dataset / "README.md").read_text("utf-8")))
    assert len(numbers) > 100  # otherwise the numbers were not found
    assert [line for line, text in numbers if not check_with(dataset, text, filtered.filters)] == []


@pytest.mark.parametrize("words", ["About 500 rows.", "**1,488** examples", "| rows | 7 |", "# 500 rows"])
def test_numbers_in_the_users_own_text_are_not_checked(tmp_path: Path, words: str) -> None:
    prose = Prose(
        "500 rows", words, links={"500 rows": "https://example.org"}, sections=(Section("On", words),)
    )
    assert check_card(build(tmp_path, prose=prose), sample_ledger()) == []


@pytest.mark.parametrize("name", ["500 rows", "9 examples|7 rows", "`1` of `2`", "a  b", "\\", "1,000", " "])
def test_names_that_contain_numbers_or_markup_pass(tmp_path: Path, name: str) -> None:
    facts = replace(FACTS, student=name, runs_glob=name, chains={name: [name], **FACTS.chains})
    settings = {"dataset": [name, "x"], "model_type": [7, name]}
    dataset = build(tmp_path, facts=replace(facts, rollout_settings=settings))
    assert check_card(dataset, sample_ledger()) == []


@pytest.mark.parametrize("heading", ["Thinking", "Build", "Loading", "Statistics"])
def test_user_section_with_the_name_of_a_card_section_is_reported(tmp_path: Path, heading: str) -> None:
    prose = Prose(sections=(Section(heading, "Other words."),))
    (sentence,) = check_card(build(tmp_path, prose=prose), sample_ledger())
    assert f"more than one section {heading}" in sentence
