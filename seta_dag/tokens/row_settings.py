"""How rows are made and proved, in a form that can be sent to a worker, which loads the tokenizer once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from seta_dag.errors import StudentError
from seta_dag.executor.warm_up import WarmUp
from seta_dag.secret_scan.scanner import rules_identity
from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.proofs.loaded import loaded
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.proofs.sample import sample_rate
from seta_dag.tokens.student.engines import EngineName
from seta_dag.tokens.student.student import Student, find_student

_MANY = 50  # tasks


@dataclass(frozen=True, slots=True)
class RowSettings:
    """Everything that decides what rows look like and how far they are proved.

    Attributes:
        student: Hub id or folder; on a cluster, each worker finds it by this name.
        identity: the student's identity; a worker that finds another tokenizer builds nothing.
        engine: the engine that makes the rows.
        prove_all: whether every trial is checked with the reference engine, not a sample.
        redact: whether secrets in logs are replaced, and trials with secrets in their text dropped.
    """

    student: str
    identity: str
    engine: EngineName
    prove_all: bool = False
    redact: bool = False

    @property
    def row_identity(self) -> str:
        """What the rows depend on besides the rollouts; part of each task's fingerprint."""
        return row_identity(self.identity, self.redact)

    def warm_up(self, n_tasks: int) -> WarmUp:
        """Return what loads the student's tokenizer for a build of `n_tasks`.

        With few of them, the reference engine is loaded only if one of their trials is in the sample.
        """
        with_reference = self.prove_all or n_tasks >= _MANY
        name = "load_engines" if with_reference else "load_engine"
        return WarmUp(f"{__name__}:{name}", (self.student, self.engine))

    def maker(self, n_trials: int) -> RowMaker:
        """Return what makes the rows in this process, in a build of `n_trials` canonical trials.

        Raises:
            StudentError: the student found here is another one.
        """
        student = _found(self.student, self.identity)
        rate = 1.0 if self.prove_all else sample_rate(n_trials)
        return RowMaker(loaded(student, self.engine), rate, self.redact)


def row_identity(student: str, redact: bool) -> str:
    """Return what the rows of a student with this identity depend on besides the rollouts."""
    return f"{student} redact {rules_identity()}" if redact else student


@lru_cache(maxsize=1)  # a worker asks for every piece, and finding a student reads its whole tokenizer
def _found(name: str, identity: str) -> Student:
    student = find_student(name)
    if student.identity != identity:
        raise StudentError(
            f"student {name}: it changed during the build, or is another one here; build again"
        )
    return student


def load_engine(name: str, engine: EngineName) -> Prover:
    """Load the student's tokenizer into the engine that makes rows."""
    return loaded(find_student(name), engine)


def load_engines(name: str, engine: EngineName) -> None:
    """Load it into the reference engine, too: otherwise each worker would load one for itself."""
    load_engine(name, engine).reference.encode_ordinary([""])
