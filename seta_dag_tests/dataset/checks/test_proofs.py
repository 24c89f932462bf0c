"""Which rows are proved by what, and which trials a proof refused."""

from __future__ import annotations

from typing import Any

import pytest

from seta_dag.dataset.checks.proofs import PROOFS, read_proofs, refused_by
from seta_dag.dataset.shards.reader import Shard


def outcome(uid: str, **given: Any) -> dict[str, Any]:
    """A row's outcome, whose digest is its uid, but for what is given."""
    row = {"trial_uid": uid, "reason": None, "detail": None, "against_reference": False}
    return {**row, "thinking.proof": uid, "thinking.literal_markup": False} | given


def shard(*uids: str) -> Shard:
    """A shard of rows of ten tokens each."""
    return Shard("train", 1, [{"trial_uid": uid, "digest": uid, "ids": 10} for uid in uids], [])


HELD: dict[str, tuple[dict[str, Any], set[str]]] = {
    "an ordinary row": ({}, {"decodes", "turns", "whole_text"}),
    "one with literal markup": ({"thinking.literal_markup": True}, {"decodes", "turns"}),
    "one of the sample": ({"against_reference": True}, set(PROOFS)),
    "a literal one of the sample": (
        {"against_reference": True, "thinking.literal_markup": True},
        {"decodes", "turns", "engines_agree"},
    ),
}


@pytest.mark.parametrize("case", HELD)
def test_a_row_counts_for_the_proofs_that_it_was_held_to(case: str) -> None:
    given, proofs = HELD[case]
    proved = read_proofs([shard("a")], {"task": [outcome("a", **given)]}, "thinking")
    assert {name for name, rows in proved.rows.items() if rows} == proofs
    assert proved.tokens == {name: 10 * rows for name, rows in proved.rows.items()}
    assert not proved.unproved and not proved.refused


def test_a_row_without_a_proof_is_unproved() -> None:
    outcomes = {"task": [outcome("a"), outcome("b", **{"thinking.proof": "other"})]}
    proved = read_proofs([shard("a", "b"), shard("c")], outcomes, "thinking")
    assert proved.unproved == ["b", "c"] and proved.rows["decodes"] == 1


def test_a_trial_that_was_dropped_proves_no_row() -> None:
    outcomes = {"task": [outcome("a", reason="not_exact", detail="thinking: turns 2: x")]}
    proved = read_proofs([shard("a")], outcomes, "thinking")
    assert proved.unproved == ["a"] and proved.refused == {"a": "thinking: turns 2: x"}


DETAILS = {
    "thinking: decodes: byte 3": "decodes",
    "nothink: turns: 2": "turns",
    "thinking: reasoning: 2 blocks begin, 1 end": "turns",
    "thinking: whole_text: id 3": "whole_text",
    "thinking: token_scan: mask 4": "whole_text",
    "nothink: markup: special token 3 at byte 7": "whole_text",
    "thinking: engines_agree: id 9": "engines_agree",
}


@pytest.mark.parametrize("detail", DETAILS)
def test_a_refusal_is_told_by_the_one_proof_that_made_it(detail: str) -> None:
    assert [proof for proof in PROOFS if refused_by(proof, detail)] == [DETAILS[detail]]
