"""A tokenizer is loaded once per process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from seta_dag.tokens.proofs.loaded import loaded
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.student.student import Student


def test_users_at_the_same_time_share_a_prover(student: Student, prover: Prover) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: loaded(replace(student), "fastokens"), range(8)))
    assert all(one is prover for one in found)


def test_a_failed_load_raises_each_time(student: Student, prover: Prover, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="nothing"):
            loaded(replace(student, tokenizer_path=tmp_path / "nothing"), "fastokens")
    assert loaded(student, "fastokens") is prover
