"""`check_card` finds every difference between a card and the shards and ledger it describes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.stats import read_stats
from seta_dag.hub.card.check import check_card
from seta_dag.hub.card.prose import Prose
from seta_dag.hub.card.render import BuildFacts, render_card
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.hub.card.test_render import FACTS, PROSE
from seta_dag_tests.support.sample_dataset import sample_ledger, sample_rows, write_dataset

COUNTED = ("Statistics", "Assistant turns", "Rows by model", "Merging", "Filtering", "Flags")
"""Sections whose numbers are counted from the shards and the ledger."""


def build(
    folder: Path,
    variant: Variant = "thinking",
    prose: Prose | None = None,
    rows: int = 7,
    facts: BuildFacts = FACTS,
    repo: str | None = None,
) -> Path:
    """Write the sample dataset with its card and return its folder."""
    dataset = write_dataset(folder / variant, sample_rows()[:rows])
    stats, companion = read_stats(dataset), repo and f"{repo}-2"
    text = render_card(stats, sample_ledger(), facts, variant, prose or Prose(), companion, repo)
    (dataset / "README.md").write_text(text, "utf-8")
    return dataset


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("check"))


def check_with(dataset: Path, text: str, filters: Filters | None = None) -> list[str]:
    """Check the dataset with `text` as its card, then restore the original card."""
    readme = dataset / "README.md"
    original = readme.read_text("utf-8")
    try:
        readme.write_text(text, "utf-8")
        return check_card(dataset, sample_ledger(), filters=filters)
    finally:
        readme.write_text(original, "utf-8")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("prose", [Prose(), PROSE], ids=["no prose", "prose"])
def test_unchanged_card_passes(tmp_path: Path, variant: Variant, prose: Prose) -> None:
    assert check_card(build(tmp_path, variant, prose), sample_ledger()) == []


def _counted_lines(text: str) -> Iterator[int]:
    """Yield the indices of lines with counted numbers: sizes in the YAML, rows of the counted tables."""
    heading = ""
    for number, line in enumerate(text.splitlines()):
        heading = line.lstrip("# ") if line.startswith("#") else heading
        in_yaml = not heading and re.search(r"(num_|download_|dataset_)\w+:|n<", line)
        if in_yaml or (heading in COUNTED and re.match(r"\| .*\d", line)):
            yield number


def _changed_numbers(text: str) -> Iterator[tuple[str, str]]:
    """Yield (changed line, changed card) for each digit of each counted number."""
    lines = text.splitlines(keepends=True)
    for number in _counted_lines(text):
        line = lines[number]
        numbers = (
            line.find("|", 1) if line.startswith("|") else 0
        )  # the first cell of a table row is its label
        # "1 of 2" is the position of a run in its chain, not a count
        for found in re.finditer(r"\d(?! of \d)(?<! of \d)", line):
            digit = str((int(found[0]) + 1) % 10)
            changed = line[: found.start()] + digit + line[found.end() :]
            if found.start() > numbers:
                yield changed, "".join([*lines[:number], changed, *lines[number + 1 :]])


def test_every_changed_digit_is_reported(built: Path) -> None:
    changed = dict(_changed_numbers((built / "README.md").read_text("utf-8")))
    missed = [line for line, text in changed.items() if not check_with(built, text)]
    assert len(changed) > 50  # else no numbers were found to change
    assert missed == []


def test_every_removed_line_is_reported(built: Path) -> None:
    text = (built / "README.md").read_text("utf-8")
    lines = text.splitlines(keepends=True)
    without = {lines[number]: lines[:number] + lines[number + 1 :] for number in _counted_lines(text)}
    assert [line for line, rest in without.items() if not check_with(built, "".join(rest))] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- name: reward\n    dtype: float64", "- name: reward\n    dtype: float32", "features"),
        ("list: int32", "list: int64", "features"),
        ("list: int32", "list: unheard", "features"),
        ("    struct:\n", "    sequence:\n", "features"),
        ("path: data/train-*", "path: data/test-*", "names the files"),
        ("n<1K", "huge", "size category"),
        ("| variant | `thinking` |", "| variant | `other` |", "variant"),
        ("| tokens | 46 |\n", "| tokens | 46 |\n| tokens | 46 |\n", "two rows"),
        ("| with reasoning | 7 (50.0%) |", "| with reasoning | 7 (51.0%) |", "Assistant turns, with"),
        ("| `kimi-k2.5` | 6 |", "| `kimi-k2.5` | 6 |\n| `glm` | 2 |", "glm"),
        (
            "## Schema",
            "## Statistics\n\n| what | value |\n|---|---|\n| rows | 7 |\n\n## Schema",
            "more than one",
        ),
        ("dataset_info:", "dataset_infos:", "num_examples"),
    ],
)
def test_other_wrong_statements_are_reported(built: Path, old: str, new: str, message: str) -> None:
    text = (built / "README.md").read_text("utf-8")
    assert old in text
    assert any(message in sentence for sentence in check_with(built, text.replace(old, new, 1)))


def test_card_of_another_dataset_is_reported(tmp_path: Path) -> None:
    dataset = build(tmp_path, rows=7)
    other = build(tmp_path / "other", rows=6)
    (dataset / "README.md").write_text((other / "README.md").read_text("utf-8"), "utf-8")
    assert check_card(dataset, sample_ledger())


@pytest.mark.parametrize("line", range(len(sample_ledger())))
def test_every_missing_or_extra_ledger_line_is_reported(built: Path, line: int) -> None:
    lines = sample_ledger()
    assert check_card(built, lines[:line] + lines[line + 1 :])
    assert check_card(built, [*lines, lines[line]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        (b"# No YAML at all\n", "no YAML"),
        (b"---\nlicense: [mit\n---\n# Broken\n", "cannot be read"),
        (b"---\n- a\n- list\n---\n# Other YAML\n", "unknown variant None"),
        (b"\xff\xfe", "utf-8"),
    ],
)
def test_unreadable_card_is_reported_in_a_sentence(tmp_path: Path, text: bytes | None, message: str) -> None:
    dataset = build(tmp_path)
    (dataset / "README.md").unlink()
    if text is not None:
        (dataset / "README.md").write_bytes(text)
    assert any(message in sentence for sentence in check_card(dataset, sample_ledger()))
