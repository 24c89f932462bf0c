"""What the assets work on: the project's directories and the student."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from seta_dag.errors import ConfigError
from seta_dag.lock import locked
from seta_dag.out import Out
from seta_dag.tokens.encode import EngineName
from seta_dag.tokens.student import DEFAULT_STUDENT, Student, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer


class Project(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the rollouts are read and the datasets written. A run holds the lock of `out`."""

    rollouts: str = Field(default="", description="Rollouts root. Empty: SETA_ROLLOUTS, else data/rollouts.")
    out: str = Field(default="", description="Output directory. Empty: SETA_OUT, else data/out.")
    runs: str = Field(default="*", description="Glob on the runs' names or paths below the rollouts root.")

    @property
    def root(self) -> Path:
        """The rollouts root."""
        return Path(self.rollouts or os.environ.get("SETA_ROLLOUTS") or "data/rollouts")

    @property
    def target(self) -> Out:
        """The output directory."""
        return Out(Path(self.out or os.environ.get("SETA_OUT") or "data/out"))

    def check(self) -> None:
        """Raises `ConfigError` where the two directories can't be used together."""
        root, out = self.root.resolve(), self.target.root.resolve()
        if root.is_relative_to(out) or out.is_relative_to(root):
            raise ConfigError(f"{out} and {root}: the output and the rollouts may not lie in one another")
        if out.exists() and not out.is_dir():
            raise ConfigError(f"{out}: not a directory; give another output directory")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Any, None, None]:
        """Holds the output directory's lock for the whole run."""
        self.check()
        log = context.log
        message = f"another build writes to {self.target.root}; waiting for it to end"
        with locked(self.target.root, lambda: log.info(message) if log else None):
            yield self


class StudentSettings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Whose tokenizer and chat template the rows are written for."""

    name: str = Field(default=DEFAULT_STUDENT, description="A known name, a local folder, or a Hub id.")
    engine: str = Field(default="fastokens", description="fastokens, or hf for the reference engine.")

    def find(self) -> Student:
        """The student. Raises `StudentError` where it can't be used."""
        return find_student(self.name)

    def load(self) -> StudentTokenizer:
        """The student's tokenizer, loaded once a process."""
        if self.engine not in ("fastokens", "hf"):
            raise ConfigError(f"engine {self.engine}: give fastokens or hf")
        return _load(self.find(), "hf" if self.engine == "hf" else "fastokens")


@lru_cache(maxsize=1)
def _load(student: Student, engine: EngineName) -> StudentTokenizer:
    return StudentTokenizer.load(student, engine)
