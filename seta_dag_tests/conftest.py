"""What is loaded once for all tests: the student's tokenizer in both engines."""

from __future__ import annotations

import pytest
from hypothesis import settings

from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.load_ahead import loaded
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.student.engines import Engine
from seta_dag.tokens.student.student import DEFAULT_STUDENT, Student, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer

settings.register_profile("seta_dag", deadline=None, max_examples=60)
settings.load_profile("seta_dag")


@pytest.fixture(scope="session")
def student() -> Student:
    """Qwen3, as a build finds it."""
    return find_student(DEFAULT_STUDENT)


@pytest.fixture(scope="session", autouse=True)
def prover(student: Student) -> Prover:
    """What every build of this process proves its rows with, as long as it is in use."""
    return loaded(student, "fastokens")


@pytest.fixture(scope="session")
def tokenizer(prover: Prover) -> StudentTokenizer:
    """The student's tokenizer in the default engine."""
    return prover.tokenizer


@pytest.fixture(scope="session")
def reference(student: Student) -> Engine:
    """The student's tokenizer in the reference engine."""
    return student.engine("hf")


@pytest.fixture(scope="session")
def maker(prover: Prover) -> RowMaker:
    """Makes rows, and holds each against the reference engine."""
    return RowMaker(prover, share=1.0)
