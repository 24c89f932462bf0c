"""The tokenizer loads while other work goes on: it takes two seconds, most of them without Python's lock."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

from seta_dag.memory import give_back
from seta_dag.tokens.encode import EngineName
from seta_dag.tokens.prove import Prover
from seta_dag.tokens.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer


@lru_cache(maxsize=1)
def load_ahead(student: Student, engine: EngineName) -> Future[Prover]:
    """Begins to load `student` into the engine of that name, once a process; what fails is in the future."""
    pool = ThreadPoolExecutor(1)
    loading = pool.submit(_load, student, engine)
    pool.shutdown(wait=False)
    return loading


def _load(student: Student, engine: EngineName) -> Prover:
    prover = Prover.load(student, StudentTokenizer.load(student, engine))
    give_back()
    return prover
