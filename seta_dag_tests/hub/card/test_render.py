"""The card has every section, is the same for the same build, and reveals no local paths."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import reasons
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.stats import Stats, read_stats
from seta_dag.hub.card.parse import parse_card
from seta_dag.hub.card.prose import Prose, Section
from seta_dag.hub.card.render import BuildFacts, render_card
from seta_dag.rollouts.reasons import Flag
from seta_dag.tokens.renderers.registry import QWEN3_TEMPLATE_SHA256
from seta_dag.tokens.student.student import DEFAULT_STUDENT, QWEN3_TOKENIZER_SHA256
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.sample_dataset import RUNS, ledger_line, sample_ledger, sample_rows, write_dataset

SECTIONS = [
    "Schema", "Statistics", "Assistant turns", "Rows by model", "Provenance and processing", "Rollouts",
    "Merging", "Tokenization and loss mask", "Thinking", "Filtering", "Flags", "Build", "Companion datasets",
    "Differences from the reference", "Loading", "License",
]  # fmt: skip
FACTS = BuildFacts(
    DEFAULT_STUDENT,
    QWEN3_TOKENIZER_SHA256,
    QWEN3_TEMPLATE_SHA256,
    {RUNS[0]: RUNS},
    {"n_trajs": [1, 2], "thinking": [True]},
)
FLAGS = sorted(flag.value for flag in Flag)
PROSE = Prose(
    "Terminal rollouts",
    "In *our* own words.",
    "mit",
    {"code": "https://example.org/x"},
    (Section("Ethics", "None."),),
)


@pytest.fixture(scope="module")
def stats(tmp_path_factory: pytest.TempPathFactory) -> Stats:
    return read_stats(write_dataset(tmp_path_factory.mktemp("card") / "thinking", sample_rows()))


def card(
    stats: Stats,
    variant: Variant = "thinking",
    lines: Sequence[LedgerLine] | None = None,
    facts: BuildFacts = FACTS,
    prose: Prose | None = None,
    companion: str | None = None,
    repo_id: str | None = None,
) -> str:
    """Render the sample's card with the given arguments replaced."""
    ledger = sample_ledger() if lines is None else lines
    return render_card(stats, ledger, facts, variant, prose or Prose(), companion, repo_id)


@pytest.mark.parametrize("variant", VARIANTS)
def test_card_has_every_section_in_order(stats: Stats, variant: Variant) -> None:
    assert list(parse_card(card(stats, variant)).headings[1:]) == SECTIONS


@pytest.mark.parametrize("variant", VARIANTS)
def test_card_does_not_depend_on_the_order_of_the_ledger(stats: Stats, variant: Variant) -> None:
    lines = sample_ledger()
    random.Random(7).shuffle(lines)
    assert card(stats, variant, lines=lines) == card(stats, variant)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("/home/me/models/my-qwen/", "my-qwen"),
        ("../models/my-qwen", "my-qwen"),
        ("C:\\models\\my-qwen", "my-qwen"),
    ],
)
def test_student_loaded_from_a_folder_is_named_without_its_path(stats: Stats, name: str, shown: str) -> None:
    text = card(stats, facts=replace(FACTS, student=name))
    assert ("student", shown) in parse_card(text).tables["Build"]
    assert "/home" not in text and ".." not in text


def test_card_shows_the_build_settings(stats: Stats) -> None:
    facts = replace(FACTS, filters=Filters(min_reward=0.5, max_tokens=16384), runs_glob="kimi|glm*")
    build = {row[0]: row[1] for row in parse_card(card(stats, facts=facts)).tables["Build"]}
    assert (build["minimum reward"], build["maximum tokens"], build["runs"]) == ("0.5", "16,384", "kimi|glm*")


def test_card_shows_rollout_settings_as_written_in_the_config(stats: Stats) -> None:
    assert parse_card(card(stats)).tables["Rollouts"] == [("n_trajs", "1, 2"), ("thinking", "true")]


@pytest.mark.parametrize(
    "name", ["a|b", "`tick` ``two``", "two\nlines", "<b>html</b>", "\x07bell", "|", "*_[x](y)"]
)
def test_name_with_special_characters_stays_in_one_table_cell(stats: Stats, name: str) -> None:
    renamed = replace(stats, models={name: stats.rows})
    facts = replace(FACTS, chains={name: [name]}, rollout_settings={"model_type": [name]})
    parsed = parse_card(card(renamed, facts=facts))
    shown = name.replace("\n", " ").replace("\x07", "\ufffd")
    assert parsed.tables["Rows by model"] == [(shown, "7")]
    assert parsed.tables["Merging"][0][:2] == (shown, "1 of 1")
    assert parsed.tables["Rollouts"] == [("model_type", shown)]


def test_a_card_stays_short_however_long_a_name_is(stats: Stats) -> None:
    name = "n" * 100_000
    renamed = replace(stats, models={name: stats.rows})
    facts = replace(FACTS, chains={name: [name]}, rollout_settings={"dataset": [name], "model_type": [name]})
    assert len(card(renamed, facts=facts)) < len(card(stats)) + 2_000


@pytest.mark.parametrize("variant", VARIANTS)
def test_card_explains_every_reason_and_flag(stats: Stats, variant: Variant) -> None:
    lines = [ledger_line(RUNS[0], "dropped", reason) for reason in reasons()]
    lines.append(ledger_line(RUNS[0], "row", flags=FLAGS))
    tables = parse_card(card(stats, variant, lines=lines)).tables
    assert [row[0] for row in tables["Flags"]] == FLAGS
    assert [row[0] for row in tables["Filtering"][3:-1]] == [f"dropped: {reason}" for reason in reasons()]
    assert all(row[-1] for row in [*tables["Flags"], *tables["Filtering"][3:]])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"prose": PROSE}, "# Terminal rollouts (thinking)\n\nIn *our* own words.\n\nSupervised"),
        ({"prose": PROSE}, "- [code](https://example.org/x)\n\n## Schema"),
        ({"prose": PROSE}, "## Ethics\n\nNone.\n\n## License\n\n`mit`\n"),
        ({"prose": PROSE}, "---\nlicense: mit\n"),
        ({"companion": "org/x-nothink"}, "[org/x-nothink](https://huggingface.co/datasets/org/x-nothink)"),
        ({"repo_id": "org/x"}, 'load_dataset("org/x", split="train")'),
        ({"repo_id": "org/x"}, 'get_seta_sft_dataset("org/x", split="train", max_length=16384)'),
    ],
)
def test_given_text_appears_in_its_section(stats: Stats, arguments: dict[str, Any], expected: str) -> None:
    assert expected in card(stats, **arguments)


def test_card_ends_with_one_newline_and_has_no_double_blank_lines(stats: Stats) -> None:
    for prose in (Prose(), PROSE):
        text = card(stats, prose=prose)
        assert text.endswith("`\n") and "\n\n\n" not in text


def test_template_is_in_the_package_folder() -> None:
    import seta_dag.hub.card

    assert (Path(seta_dag.hub.card.__file__).parent / "card.md.jinja").is_file()
