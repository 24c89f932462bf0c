"""The tokenizer loads while other work goes on: it takes two seconds, most of them without Python's lock."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from weakref import WeakValueDictionary

from seta_dag.executor.memory import give_back
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.student.engines import EngineName
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer

_Key = tuple[Student, EngineName]
_loading: dict[_Key, Future[Prover]] = {}
_in_use: WeakValueDictionary[_Key, Prover] = WeakValueDictionary()
"""A loaded tokenizer is 250 MB, so it is kept only as long as somebody uses it."""


def load_ahead(student: Student, engine: EngineName) -> None:
    """Begins to load `student` into the engine of that name, unless it is loading or in use."""
    key = (student, engine)
    if key not in _loading and key not in _in_use:
        pool = ThreadPoolExecutor(1)
        _loading[key] = pool.submit(_load, *key)
        pool.shutdown(wait=False)


def loaded(student: Student, engine: EngineName) -> Prover:
    """What proves the rows of the student, the one in use if there is one. Raises what loading it raises."""
    key = (student, engine)
    if key in _in_use:
        return _in_use[key]
    load_ahead(*key)
    prover = _in_use[key] = _loading.pop(key).result()
    return prover


def _load(student: Student, engine: EngineName) -> Prover:
    prover = Prover.load(student, StudentTokenizer.load(student, engine))
    give_back()
    return prover
