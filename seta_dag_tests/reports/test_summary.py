"""The summary of a build: flags of its rows, and the sentence about those that worry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import write_ledger
from seta_dag.reports.summary import Summary, summarize
from seta_dag.rollouts.reasons import WORRYING, Flag
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.sample_dataset import RUNS, ledger_line

COUNTS = {f"{variant}_{count}": 1 for variant in VARIANTS for count in ("tokens", "trainable_tokens")}


def summary(folder: Path, rows: Sequence[Sequence[str]], dropped: Sequence[Sequence[str]] = ()) -> Summary:
    """Summarize a ledger with these flags of each row and of each dropped trial."""
    out = OutputLayout(folder)
    lines = [replace(ledger_line(RUNS[0], "row", flags=flags), **COUNTS) for flags in rows]
    lines += [ledger_line(RUNS[0], "dropped", "no_tests", flags) for flags in dropped]
    write_ledger(out.ledger, lines, Filters())
    return summarize(out, 1, 1, 0.1)


def flag_line(found: Summary) -> str:
    (line,) = [line for line in found.as_text().splitlines() if "with flags" in line]
    return line


def test_flags_of_rows_are_shown_most_frequent_first_at_most_eight(tmp_path: Path) -> None:
    names = sorted(flag.value for flag in Flag)[:10]
    # The first name is in one row, the last one in ten; two have the same count.
    rows = [[name for number, name in enumerate(names) if number >= row] for row in range(10)]
    rows.append([names[3]])
    found = summary(tmp_path, rows, dropped=[names])
    counts = {name: number + 1 + (number == 3) for number, name in enumerate(names)}
    order = sorted(names, key=lambda name: (-counts[name], name))
    shown = ", ".join(f"{name} {counts[name]}" for name in order[:8])
    assert flag_line(found) == f"    with flags          11   {shown}"
    assert found.flags == {name: counts[name] for name in order} and list(found.flags) == order


def test_rows_without_flags_give_no_line_of_flags(tmp_path: Path) -> None:
    found = summary(tmp_path, [[], []], dropped=[["cut_short"]])
    assert "with flags" not in found.as_text() and found.warning() is None


@pytest.mark.parametrize("flag", WORRYING)
@pytest.mark.parametrize(("rows", "warns"), [(20, False), (19, True)])
def test_more_than_five_percent_of_rows_with_a_worrying_flag_give_a_sentence(
    flag: Flag, rows: int, warns: bool, tmp_path: Path
) -> None:
    sentence = summary(tmp_path, [[flag.value], *[["log_skipped"]] * (rows - 1)]).warning()
    assert (sentence is not None) == warns
    if sentence is not None:
        assert sentence.startswith(f"1 of {rows} rows (5.3%) ") and f"{flag.value} 1;" in sentence
        assert "log_skipped" not in sentence


def test_a_row_with_two_worrying_flags_counts_once(tmp_path: Path) -> None:
    found = summary(tmp_path, [["cut_short", "unread_field"], *[[]] * 19])
    assert (found.worrying, found.warning()) == (1, None)


def test_other_flags_do_not_worry(tmp_path: Path) -> None:
    others = [[flag.value] for flag in Flag if flag not in WORRYING]
    assert summary(tmp_path, others).warning() is None
    assert summary(tmp_path / "none", []).warning() is None
