"""Fixture shared by the tests of row inspections."""

from __future__ import annotations

import pytest

from seta_dag.tokens.student.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag_tests.support.inspected import Inspected


@pytest.fixture(scope="session")
def inspected(
    tmp_path_factory: pytest.TempPathFactory, student: Student, tokenizer: StudentTokenizer
) -> Inspected:
    """Inspections of rows that are hard to display."""
    return Inspected(tmp_path_factory.mktemp("out"), student, tokenizer)
