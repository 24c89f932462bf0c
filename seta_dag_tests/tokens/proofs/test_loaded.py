"""A tokenizer is loaded once per process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from seta_dag.tokens.proofs.loaded import loaded
from seta_dag.tokens.student.student import Student

# Another test of this process may have loaded another student since the fixtures: one is kept at a time.


def test_users_at_the_same_time_share_a_prover(student: Student) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: loaded(replace(student), "fastokens"), range(8)))
    assert all(one is found[0] for one in found)


def test_a_failed_load_raises_each_time(student: Student, tmp_path: Path) -> None:
    prover = loaded(student, "fastokens")
    for _ in range(2):
        with pytest.raises(OSError, match="nothing"):
            loaded(replace(student, tokenizer_path=tmp_path / "nothing"), "fastokens")
    assert loaded(student, "fastokens") is prover
