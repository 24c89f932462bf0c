"""The card: all its sections, the same text for the same build, and no path of the machine."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import reasons
from seta_dag.dataset.ledger.ledger import LedgerLine
from seta_dag.dataset.stats import Stats, read_stats
from seta_dag.hub.card.parse import parse_card
from seta_dag.hub.card.prose import Prose, Section
from seta_dag.hub.card.render import BuildFacts, render_card
from seta_dag.tokens.renderers.registry import QWEN3_TEMPLATE_SHA256
from seta_dag.tokens.student.student import DEFAULT_STUDENT, QWEN3_TOKENIZER_SHA256
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.sample_dataset import RUNS, ledger_line, sample_ledger, sample_rows, write_dataset

SECTIONS = [
    "Schema", "Statistics", "Rows by model", "Provenance and processing", "Rollouts", "Merging",
    "Tokenization and loss mask", "Thinking", "Filtering", "Flags", "Build", "Companion datasets",
    "Differences from the reference", "Loading", "License",
]  # fmt: skip
FACTS = BuildFacts(
    DEFAULT_STUDENT,
    QWEN3_TOKENIZER_SHA256,
    QWEN3_TEMPLATE_SHA256,
    {RUNS[0]: RUNS},
    {"n_trajs": [1, 2], "thinking": [True]},
)
FLAGS = [
    "bad_arguments", "bad_content", "bad_tool_call", "ctrf_mismatch", "literal_markup", "log_skipped",
    "unknown_role",
]  # fmt: skip
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
    """Render the card of the sample dataset; arguments replace its defaults."""
    ledger = sample_ledger() if lines is None else lines
    return render_card(stats, ledger, facts, variant, prose or Prose(), companion, repo_id)


@pytest.mark.parametrize("variant", VARIANTS)
def test_card_has_every_section_in_order(stats: Stats, variant: Variant) -> None:
    assert list(parse_card(card(stats, variant)).headings[1:]) == SECTIONS


@pytest.mark.parametrize("variant", VARIANTS)
def test_text_does_not_depend_on_the_order_of_the_ledger(stats: Stats, variant: Variant) -> None:
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
def test_student_folder_is_named_without_its_path(stats: Stats, name: str, shown: str) -> None:
    text = card(stats, facts=replace(FACTS, student=name))
    assert ("student", shown) in parse_card(text).tables["Build"]
    assert "/home" not in text and ".." not in text


def test_card_shows_the_settings_of_the_build(stats: Stats) -> None:
    facts = replace(FACTS, filters=Filters(min_reward=0.5, max_tokens=16384), runs_glob="kimi|glm*")
    build = {row[0]: row[1] for row in parse_card(card(stats, facts=facts)).tables["Build"]}
    assert (build["minimum reward"], build["maximum tokens"], build["runs"]) == ("0.5", "16,384", "kimi|glm*")


def test_card_shows_the_settings_of_the_rollouts_verbatim(stats: Stats) -> None:
    assert parse_card(card(stats)).tables["Rollouts"] == [("n_trajs", "1, 2"), ("thinking", "true")]


@pytest.mark.parametrize(
    "name", ["a|b", "`tick` ``two``", "two\nlines", "<b>html</b>", "\x07bell", "|", "*_[x](y)"]
)
def test_name_of_any_spelling_is_one_table_cell(stats: Stats, name: str) -> None:
    odd = replace(stats, models={name: stats.rows})
    run = replace(FACTS, chains={name: [name]}, rollout_settings={"model_type": [name]})
    read = parse_card(card(odd, facts=run))
    shown = name.replace("\n", " ").replace("\x07", "\ufffd")
    assert read.tables["Rows by model"] == [(shown, "7")]
    assert read.tables["Merging"][0][:2] == (shown, "1 of 1")
    assert read.tables["Rollouts"] == [("model_type", shown)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_reason_and_flag_is_explained(stats: Stats, variant: Variant) -> None:
    lines = [ledger_line(RUNS[0], "dropped", reason) for reason in reasons()]
    lines.append(ledger_line(RUNS[0], "row", flags=FLAGS))
    tables = parse_card(card(stats, variant, lines=lines)).tables
    assert [row[0] for row in tables["Flags"]] == FLAGS
    assert [row[0] for row in tables["Filtering"][3:-1]] == [f"dropped: {reason}" for reason in reasons()]
    assert all(row[-1] for row in [*tables["Flags"], *tables["Filtering"][3:]])


@pytest.mark.parametrize(
    ("given", "written"),
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
def test_optional_words_are_in_their_place(stats: Stats, given: dict[str, Any], written: str) -> None:
    assert written in card(stats, **given)


def test_card_ends_with_one_newline_and_has_no_double_blank_lines(stats: Stats) -> None:
    for prose in (Prose(), PROSE):
        text = card(stats, prose=prose)
        assert text.endswith("`\n") and "\n\n\n" not in text


def test_template_is_next_to_the_code() -> None:
    import seta_dag.hub.card

    assert (Path(seta_dag.hub.card.__file__).parent / "card.md.jinja").is_file()
