"""Which proofs cover which rows, and which trials failed a proof."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seta_dag.dataset.checks.proofs import PROOFS, read_proofs, refused_by
from seta_dag.dataset.shards.facts import RowFacts, Shard
from seta_dag.tokens.outcomes import TrialOutcome
from seta_dag.tokens.trial_row import VariantCounts
from seta_dag_tests.support.made import MadeTrial

ROW = MadeTrial("a").outcome


def outcome(uid: str, proof: str | None = None, literal: bool = False, **given: Any) -> TrialOutcome:
    """Return a row's outcome whose digest is its uid, with the given values replaced."""
    counts = VariantCounts(10, 5, literal, proof or uid)
    return replace(ROW, trial_uid=uid, thinking=counts, **given)


def shard(*uids: str) -> Shard:
    """Return a shard with one row of ten tokens per uid."""
    return Shard("train", 1, tuple(_row(uid) for uid in uids), ())


def _row(uid: str) -> RowFacts:
    counted = {"ids": 10, "mask": 10, "ones": 5, "others": 0}
    return RowFacts("a", uid, None, 0.5, None, None, 2, 10, 5, **counted, digest=uid, content=uid)


COVERED_BY: dict[str, tuple[dict[str, Any], set[str]]] = {
    "an ordinary row": ({}, {"decodes", "turns", "whole_text"}),
    "a row with literal markup": ({"literal": True}, {"decodes", "turns"}),
    "a row of the reference sample": ({"against_reference": True}, set(PROOFS)),
    "a sampled row with literal markup": (
        {"against_reference": True, "literal": True},
        {"decodes", "turns", "engines_agree"},
    ),
}


@pytest.mark.parametrize("case", COVERED_BY)
def test_a_row_counts_only_for_the_proofs_that_checked_it(case: str) -> None:
    given, proofs = COVERED_BY[case]
    report = read_proofs([shard("a")], {"task": [outcome("a", **given)]}, "thinking")
    assert {name for name, rows in report.rows.items() if rows} == proofs
    assert report.tokens == {name: 10 * rows for name, rows in report.rows.items()}
    assert not report.unproved and not report.refused


def test_a_row_without_a_matching_proof_is_unproved() -> None:
    outcomes = {"task": [outcome("a"), outcome("b", proof="other")]}
    report = read_proofs([shard("a", "b"), shard("c")], outcomes, "thinking")
    assert report.unproved == ["b", "c"] and report.rows["decodes"] == 1


def test_a_dropped_trial_proves_no_row_and_is_reported_as_refused() -> None:
    outcomes = {"task": [outcome("a", reason="not_exact", detail="thinking: turns 2: x")]}
    report = read_proofs([shard("a")], outcomes, "thinking")
    assert report.unproved == ["a"] and report.refused == {"a": "thinking: turns 2: x"}


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
def test_each_refusal_is_attributed_to_exactly_one_proof(detail: str) -> None:
    assert [proof for proof in PROOFS if refused_by(proof, detail)] == [DETAILS[detail]]
