"""Load the tokenizer in the background, which takes two seconds.

Most of that time is spent without the GIL, so other work can go on.
"""

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
"""A loaded tokenizer takes 250 MB, so it goes away with its last user."""


def load_ahead(student: Student, engine: EngineName) -> None:
    """Start loading the student's tokenizer into an engine.

    Does nothing if it is loading or in use already.
    """
    key = (student, engine)
    if key not in _loading and key not in _in_use:
        pool = ThreadPoolExecutor(1)
        _loading[key] = pool.submit(_load, *key)
        pool.shutdown(wait=False)  # the thread ends by itself once the tokenizer is loaded


def loaded(student: Student, engine: EngineName) -> Prover:
    """Return a prover with the student's tokenizer, loading it if necessary.

    All current users get the same prover. Waits for a tokenizer that `load_ahead` started to load. Raises
    whatever loading it raises; the next call tries again.
    """
    key = (student, engine)
    if key in _in_use:
        return _in_use[key]
    load_ahead(*key)
    # Popped before the result is known: a load that failed must not be found again.
    prover = _in_use[key] = _loading.pop(key).result()
    return prover


def _load(student: Student, engine: EngineName) -> Prover:
    prover = Prover.load(student, StudentTokenizer.load(student, engine))
    give_back()  # the parsed tokenizer.json leaves 100 MB of free memory behind
    return prover
