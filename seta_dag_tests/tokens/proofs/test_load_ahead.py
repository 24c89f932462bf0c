"""A tokenizer is loaded once for all its users, and freed after the last one."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest

from seta_dag.tokens.proofs import load_ahead as module
from seta_dag.tokens.proofs.load_ahead import load_ahead, loaded
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.student.student import Student


@pytest.fixture
def loads(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the students that were loaded. Loading only copies a prover, so that it takes no time."""
    names: list[str] = []

    def load(student: Student, engine: str) -> Prover:
        names.append(student.name)
        return replace(prover, student=student)

    monkeypatch.setattr(module, "_load", load)
    return names


@pytest.fixture
def another(student: Student) -> Callable[[str], Student]:
    """Gives a student with another name."""
    return lambda name: replace(student, name=name)


def test_users_at_the_same_time_share_a_prover(loads: list[str], another: Callable[[str], Student]) -> None:
    first = loaded(another("a"), "fastokens")
    load_ahead(another("a"), "fastokens")
    assert loaded(another("a"), "fastokens") is first and loads == ["a"]
    assert loaded(another("a"), "hf") is not first and loads == ["a", "a"]


def test_a_prover_that_is_loading_is_waited_for(loads: list[str], another: Callable[[str], Student]) -> None:
    load_ahead(another("b"), "fastokens")
    load_ahead(another("b"), "fastokens")
    assert loaded(another("b"), "fastokens").student.name == "b" and loads == ["b"]


def test_an_unused_prover_is_freed(loads: list[str], another: Callable[[str], Student]) -> None:
    load_ahead(another("c"), "fastokens")
    used = weakref.ref(loaded(another("c"), "fastokens"))
    gc.collect()
    assert used() is None
    loaded(another("c"), "fastokens")
    assert loads == ["c", "c"]


def test_a_failed_load_raises_and_is_tried_again(
    another: Callable[[str], Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(student: Student, engine: str) -> Prover:
        raise ValueError(student.name)

    monkeypatch.setattr(module, "_load", fail)
    load_ahead(another("d"), "fastokens")
    for _ in range(2):
        with pytest.raises(ValueError, match="d"):
            loaded(another("d"), "fastokens")
