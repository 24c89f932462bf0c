"""Load the tokenizer of a student once per process."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

from seta_dag.executor.memory import give_back
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.student.engines import EngineName
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer

_lock = Lock()


def loaded(student: Student, engine: EngineName) -> Prover:
    """Return a prover with the student's tokenizer, loading it if necessary, which takes a second or two.

    All users of a process get the same prover. Raises whatever loading it raises; the next call tries again.
    """
    with _lock:  # whoever asks while it is loading waits for it
        return _load(student, engine)


@lru_cache(maxsize=1)  # 250 MB each
def _load(student: Student, engine: EngineName) -> Prover:
    prover = Prover.load(student, StudentTokenizer.load(student, engine))
    give_back()  # the parsed tokenizer.json leaves 100 MB of free memory behind
    return prover
