"""A task's stage file gives back what was made of its trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from seta_dag.dataset.task_table import OUTCOME_COLUMNS, read_task, variant_rows, write_task

from seta_dag.dataset.row import FIELDS, ROW_SCHEMA
from seta_dag.dataset.rows import TrialRow, digest
from seta_dag.tokens.render import VARIANTS, Variant
from seta_dag_tests.support.made import Made

ROWS = [Made("a", text="é 🚀 \x00"), Made("a", 1, text="x" * 3000)]
REFUSED = Made("a", 2, reason="not_exact")


@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_are_read_as_they_were_made(variant: Variant, tmp_path: Path) -> None:
    made = [one.row() for one in ROWS]
    write_task(tmp_path / "task", made)
    table = variant_rows(read_task(tmp_path / "task"), variant)
    assert table.schema.equals(ROW_SCHEMA, check_metadata=True)
    for row, line in zip(made, table.to_pylist(), strict=True):
        assert line == expected(row, variant) and list(line) == list(FIELDS)


def expected(row: TrialRow, variant: Variant) -> dict[str, Any]:
    one = row.variants[variant]
    return {
        "task_id": row.trial.task_id,
        "trial_uid": row.trial.uid,
        **row.shared,
        "local_token_count": len(one.tokens.ids),
        "n_assistant_tokens": one.tokens.n_trainable,
        "chat_template_str": one.rendered.text,
        "input_ids": one.tokens.ids.tolist(),
        "loss_mask": one.tokens.mask.tolist(),
    }


def test_outcomes_hold_the_proof_of_what_is_stored(tmp_path: Path) -> None:
    write_task(tmp_path / "task", [one.row() for one in ROWS])
    table = read_task(tmp_path / "task")
    for line, stored in zip(table.select(OUTCOME_COLUMNS).to_pylist(), table.to_pylist(), strict=True):
        for variant in VARIANTS:
            ids = b"".join(token.to_bytes(4, "little") for token in stored[f"{variant}.input_ids"])
            text, mask = stored[f"{variant}.chat_template_str"], bytes(stored[f"{variant}.loss_mask"])
            assert line[f"{variant}.proof"] == digest(text, ids, mask)


def test_a_trial_without_a_row_has_its_reason_and_no_tokens(tmp_path: Path) -> None:
    write_task(tmp_path / "task", [REFUSED.row(), ROWS[0].row()])
    refused, row = read_task(tmp_path / "task").to_pylist()
    assert (refused["reason"], refused["detail"]) == ("not_exact", "thinking: not_exact")
    assert [refused[f"{variant}.{name}"] for variant in VARIANTS for name in ("input_ids", "proof")] == [
        [], None, [], None,
    ]  # fmt: skip
    assert row["reason"] is None and row["thinking.input_ids"]


def test_a_task_may_have_no_canonical_trial_and_one_may_have_no_log(tmp_path: Path) -> None:
    write_task(tmp_path / "none", [])
    assert read_task(tmp_path / "none").num_rows == 0
    unlogged = TrialRow(ROWS[0].trial, ROWS[0].report, reason="no_conversation")
    write_task(tmp_path / "task", [unlogged])
    (line,) = read_task(tmp_path / "task").to_pylist()
    assert (line["task_id"], line["reason"], line["snapshot"]) == ("a", "no_conversation", None)


@pytest.mark.parametrize("column", ["reward", "model", "conv_json_path", "n_messages", "raw_conv_json"])
def test_each_shared_column_identifies_the_content(column: str, tmp_path: Path) -> None:
    one, other = ROWS[0].row(), ROWS[0].row()
    other.shared[column] = 0 if column in ("reward", "n_messages") else "another"
    write_task(tmp_path / "task", [one, other])
    first, second = read_task(tmp_path / "task")["content"].to_pylist()
    assert first != second
