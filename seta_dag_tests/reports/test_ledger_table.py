"""The ledger printed as a table."""

from __future__ import annotations

from dataclasses import replace

from seta_dag.reports.ledger_table import as_table
from seta_dag_tests.support.sample_dataset import sample_ledger


def test_the_table_shows_every_line_untruncated() -> None:
    lines = [replace(line, detail="x" * 300, trial_uid=f"uid{n}") for n, line in enumerate(sample_ledger())]
    shown = as_table(lines)
    assert shown.endswith(f"{len(lines)} trials") and shown.count("x" * 300) == len(lines)
    assert [n for n in range(len(lines)) if f"uid{n} " not in shown] == []
