"""The proofs hold for correct rows, and each kind of fault fails the proof that should notice it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seta_dag.rollouts.conversation import Conversation
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.proofs.sample import sampled
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.tokens.proofs.faults import FAULTS, Fault
from seta_dag_tests.tokens.proofs.rows import CORRECT, LITERAL, ORDINARY, row


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_row_is_proved(name: str, variant: Variant, prover: Prover) -> None:
    assert replace(row(CORRECT[name], variant, prover), against_hf=True).fault(prover) is None


@pytest.mark.parametrize("variant", VARIANTS)
def test_assistant_turns_are_enough_to_prove_a_row(variant: Variant, prover: Prover) -> None:
    for conversation in (ORDINARY, LITERAL):
        correct = row(conversation, variant, prover)
        assert replace(correct, conversation=conversation.assistant_only()).fault(prover) is None


@pytest.mark.parametrize(
    ("fault", "conversation", "sentence"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS]
)
def test_a_faulty_row_is_not_proved(
    fault: Fault, conversation: Conversation, sentence: str, prover: Prover
) -> None:
    found = fault(row(conversation, "thinking", prover), prover).fault(prover)
    assert found is not None
    assert found.startswith(sentence)


def test_the_markup_proof_holds_without_literal_markup_too(prover: Prover) -> None:
    assert replace(row(ORDINARY, "thinking", prover), literal=True).fault(prover) is None


UIDS = [f"task_{n}_t0_{n:06x}" for n in range(2000)]


@pytest.mark.parametrize(("rate", "least", "most"), [(0.0, 0, 0), (0.05, 60, 140), (1.0, 2000, 2000)])
def test_a_sample_has_its_rate(rate: float, least: int, most: int) -> None:
    assert least <= sum(sampled(uid, rate) for uid in UIDS) <= most


def test_a_larger_sample_contains_a_smaller_one() -> None:
    assert all(sampled(uid, 0.2) for uid in UIDS if sampled(uid, 0.05))


def test_the_sample_depends_on_the_uids_only() -> None:
    assert [n for n, uid in enumerate(UIDS[:60]) if sampled(uid, 0.05)] == [2, 7, 10, 47]
