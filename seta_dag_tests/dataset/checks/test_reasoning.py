"""Reasoning that was lost, told from a teacher that does not think."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seta_dag.dataset.checks.reasoning import ReasoningReport, read_reasoning
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag_tests.support.sample_dataset import RUNS, ledger_line


def line(disposition: str, turns: int | None, reasoning: int | None, logged: bool | None) -> LedgerLine:
    counts = {"n_assistant_turns": turns, "n_reasoning_turns": reasoning, "reasoning_logged": logged}
    return replace(ledger_line(RUNS[0], disposition), **counts, trial_uid="x_t0_ab")


SILENT_ROW = line("row", 3, 0, False)


@pytest.mark.parametrize(
    ("lines", "report", "has_none"),
    [
        ([line("row", 3, 2, True), SILENT_ROW], ReasoningReport(6, 2, ()), False),
        ([SILENT_ROW, SILENT_ROW], ReasoningReport(6, 0, ()), True),
        ([SILENT_ROW, line("row", 3, 0, True)], ReasoningReport(6, 0, ("x_t0_ab",)), True),
        ([SILENT_ROW, line("dropped", 3, 3, True)], ReasoningReport(3, 0, ("x_t0_ab",)), True),
        ([SILENT_ROW, line("superseded", None, None, None)], ReasoningReport(3, 0, ()), True),
        ([line("dropped", 3, 3, True)], ReasoningReport(0, 0, ()), False),
        ([], ReasoningReport(0, 0, ()), False),
    ],
)
def test_reasoning_is_lost_if_no_row_has_it_but_a_log_does(
    lines: list[dict[str, Any]], report: ReasoningReport, has_none: bool
) -> None:
    found = read_reasoning(lines)
    assert (found, found.has_none) == (report, has_none)
