"""The ledger printed as tables, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace

import pytest
from rich.console import Console, RenderableType

from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.reports.ledger_data import as_csv, as_json_lines
from seta_dag.reports.ledger_summary import ledger_summary
from seta_dag.reports.ledger_table import ledger_table
from seta_dag_tests.support.sample_dataset import sample_ledger


def printed(renderable: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False)
    console.print(renderable)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_a_file_gets_one_line_per_trial_untruncated() -> None:
    lines = [replace(line, detail="x" * 300, trial_uid=f"uid{n}") for n, line in enumerate(sample_ledger())]
    shown = printed(ledger_table(lines, 100_000), 100_000)
    for n in range(len(lines)):
        (found,) = (line for line in shown if f"uid{n} " in line)
        assert "x" * 300 in found


@pytest.mark.parametrize("width", [80, 120, 160])
def test_a_terminal_gets_lines_that_fit_with_whole_words(width: int) -> None:
    detail = "none of 12 usable: conv_20261122_121343_000001.json: cut off in the middle of a word"
    lines = [
        replace(
            line,
            detail=detail,
            trial_uid=f"a_task_with_a_long_name__{n}_t0_0123ab",
            run="eval/kimi-k2.5_20260401",
        )
        for n, line in enumerate(sample_ledger())
    ]
    shown = printed(ledger_table(lines, width), width)
    assert max(map(len, shown)) <= width
    text = "\n".join(shown)
    assert text.count("usable:") == len(lines) == text.count("middle")
    assert all(line.reason in text for line in lines if line.reason)
    assert ("eval/kimi" in text) == (width >= 120)


def test_json_has_every_column_with_its_type() -> None:
    lines = sample_ledger()
    found = [json.loads(line) for line in as_json_lines(lines).splitlines()]
    assert [set(one) for one in found] == [{field.name for field in fields(LedgerLine)}] * len(lines)
    assert [one["reward"] for one in found] == [line.reward for line in lines]
    assert [one["flags"] for one in found] == [list(line.flags) for line in lines]


def test_csv_has_every_column_but_the_notes() -> None:
    lines = [replace(line, flags=("cut_short", "empty_turn")) for line in sample_ledger()]
    found = list(csv.DictReader(io.StringIO(as_csv(lines))))
    assert {*found[0]} == {field.name for field in fields(LedgerLine)} - {"notes"}
    assert [one["flags"] for one in found] == ["cut_short empty_turn"] * len(lines)
    assert [one["reward"] for one in found] == [
        "" if line.reward is None else str(line.reward) for line in lines
    ]


def test_the_summary_counts_by_outcome_flag_and_run() -> None:
    lines = [replace(line, run=f"run{n % 2}") for n, line in enumerate(sample_ledger())]
    text = [" ".join(line.split()) for line in printed(ledger_summary(lines), 100)]
    rows = [line for line in lines if line.disposition == "row"]
    mean = sum(line.reward or 0 for line in rows) / len(rows)
    assert f"row {len(rows)}" in text and f"all {len(lines)} {len(rows)} {mean:.3f}" in text
