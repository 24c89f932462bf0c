"""An inspection printed to the terminal."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from seta_dag.reports.row.inspection import Inspection
from seta_dag.reports.row.terminal import as_renderable, log_line
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.inspected import CONVERSATIONS, Inspected

EVERY_ROW = [
    pytest.param(name, variant, id=f"{name}, {variant}") for name in CONVERSATIONS for variant in VARIANTS
]
every_row = pytest.mark.parametrize(("name", "variant"), EVERY_ROW)


def printed(inspection: Inspection, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(as_renderable(inspection))
    return capture.get()


@every_row
def test_every_turn_is_shown_with_its_span(name: str, variant: Variant, inspected: Inspected) -> None:
    row = inspected(name, variant)
    text = " ".join(printed(row, 300).split())
    for turn in row.turns:
        trainable = row.trainable(turn.first, turn.end) or "not"
        line = (
            f"{turn.number} {turn.role} {turn.first} to {turn.end - 1} {turn.end - turn.first} {trainable} "
        )
        assert line in text


@every_row
def test_the_first_and_last_tokens_of_a_turn_are_shown(
    name: str, variant: Variant, inspected: Inspected
) -> None:
    row = inspected(name, variant)
    words = printed(row, 300).split()
    for turn in row.turns:
        assert {str(row.ids[turn.first]), str(row.ids[turn.end - 1])} <= set(words)


@pytest.mark.parametrize("width", [60, 200])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_no_line_is_wider_than_the_terminal(name: str, width: int, inspected: Inspected) -> None:
    assert max(cell_len(line) for line in printed(inspected(name), width).splitlines()) <= width


@every_row
def test_only_printable_characters_are_printed(name: str, variant: Variant, inspected: Inspected) -> None:
    assert all(char.isprintable() or char == "\n" for char in printed(inspected(name, variant), 120))


@pytest.mark.parametrize("fact", ["58 (61.1%)", "1 system, 1 user, 2 assistant, 1 tool", "literal_markup"])
def test_the_totals_are_shown(fact: str, inspected: Inspected) -> None:
    assert fact in printed(inspected("ordinary"), 200)


def test_the_path_of_the_log_is_never_broken(inspected: Inspected) -> None:
    row = inspected(next(iter(CONVERSATIONS)), "thinking")
    assert log_line(row) == f"Log  {row.row['conv_json_path']}"
    assert row.row["conv_json_path"] not in printed(row, 300)
