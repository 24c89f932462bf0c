"""Dagster resources: the options of a run, as the launchpad shows them.

A field left empty is resolved when it is used: environment, then what the output directory was last built
with, then the default (`seta_dag.options`). So a run started from the UI, the sensor or the schedule builds
what the last build built.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from seta_dag.errors import ConfigError
from seta_dag.executor.memory import give_back
from seta_dag.executor.warm_up import WarmUp
from seta_dag.executor.workers import Workers, parse_workers
from seta_dag.options.build_options import BuildOptions
from seta_dag.options.resolve import resolve
from seta_dag.store.layout import OutputLayout
from seta_dag.store.lock import locked, waiting
from seta_dag.tokens.row_settings import RowSettings
from seta_dag.tokens.student.engines import EngineName
from seta_dag.tokens.student.student import DEFAULT_STUDENT, Student, find_student

_LAST = "else that of the last build"


class Project(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where rollouts are read and datasets are written. A run holds the lock of the output directory."""

    rollouts: str = Field(
        default="", description=f"Rollouts root. Empty: SETA_ROLLOUTS, {_LAST}, else data/rollouts."
    )
    out: str = Field(default="", description="Output directory. Empty: SETA_OUT, else data/out.")
    runs: str = Field(
        default="", description=f"Glob on names or paths of runs. Empty: SETA_RUNS, {_LAST}, else every run."
    )
    quiet: float | None = Field(
        default=None,
        description="Seconds that changed rollouts must not have been written to before the sensor rebuilds. "
        "Empty: SETA_QUIET_SECONDS, else 60.",
    )

    def resolve(self, **given: Any) -> tuple[OutputLayout, BuildOptions]:
        """Return the output directory and all options; `given` are those of other resources."""
        fields = {"rollouts": self.rollouts or None, "out": self.out or None, "runs": self.runs or None}
        return resolve(fields | given)

    @property
    def root(self) -> Path:
        """The rollouts root, as an absolute path: a worker on a cluster has another working directory."""
        return self.resolve()[1].rollouts.absolute()

    @property
    def glob(self) -> str:
        """The glob that selects runs."""
        return self.resolve()[1].runs

    @property
    def target(self) -> OutputLayout:
        """The output directory, as an absolute path."""
        return OutputLayout(self.resolve()[0].root.absolute())

    @property
    def quiet_seconds(self) -> float:
        """How long changed rollouts must be quiet before the sensor requests a rebuild."""
        given = os.environ.get("SETA_QUIET_SECONDS", "60") if self.quiet is None else str(self.quiet)
        try:
            return float(given)
        except ValueError as error:
            raise ConfigError(f"SETA_QUIET_SECONDS {given}: give a number of seconds") from error

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Any, None, None]:
        """Hold the lock of the output directory for the whole run."""
        out, options = self.resolve()
        require_apart(out, options)
        give_back()  # what was freed before the run would otherwise stay with the process
        log = context.log
        with locked(out.root, lambda: log.warning(waiting(out.root)) if log else None):
            yield self


def require_apart(out: OutputLayout, options: BuildOptions) -> None:
    """Raise `ConfigError` if the rollouts and the output directory contain one another."""
    # Resolved, since a link could hide that one is inside the other.
    root, target = options.rollouts.resolve(), out.root.resolve()
    if root.is_relative_to(target) or target.is_relative_to(root):
        raise ConfigError(f"{target} and {root}: output and rollouts must not be inside one another")


class StudentSettings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The student whose tokenizer and chat template the rows are written for."""

    name: str = Field(
        default="",
        description=f"Folder or Hub id. Empty: SETA_STUDENT, {_LAST}, else {DEFAULT_STUDENT}.",
    )
    engine: str = Field(default="fastokens", description="fastokens, or hf for the reference engine.")

    prove_all: bool = Field(
        default=False, description="Compare every row with the reference engine, not a sample."
    )

    redact: bool | None = Field(
        default=None,
        description="Replace secrets in the logs, and drop trials with secrets in their text. Empty: "
        f"SETA_REDACT, {_LAST}, else no.",
    )

    def options(self, project: Project) -> tuple[OutputLayout, BuildOptions]:
        """Return the output directory and all options, with those of this resource."""
        return project.resolve(student=self.name or None, redact=self.redact)

    def find(self, project: Project) -> Student:
        """Return the student. Raises `StudentError` if it cannot be used."""
        return find_student(self.options(project)[1].student)

    def rows(self, project: Project) -> RowSettings:
        """Return how rows are made and proved. Raises `StudentError` if the student cannot be used."""
        student, redact = self.find(project), self.options(project)[1].redact
        return RowSettings(student.name, student.identity, self._engine(), self.prove_all, redact)

    def _engine(self) -> EngineName:
        if self.engine not in ("fastokens", "hf"):
            raise ConfigError(f"engine {self.engine}: give fastokens or hf")
        # Written out, so that mypy narrows the string to the literal type.
        return "hf" if self.engine == "hf" else "fastokens"


class WorkerSettings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the work of a run is done; its result is the same everywhere."""

    workers: str = Field(
        default="",
        description="Number of processes, 1 for this process, or dask: and the address or scheduler file "
        "of a Dask cluster. Empty: SETA_WORKERS, else one process per core.",
    )
    _open: dict[WarmUp | None, Workers] = PrivateAttr(default_factory=dict)

    def get(self, warm_up: WarmUp | None = None) -> Workers:
        """Return the workers of this run; the first call says what they load. Raises `ConfigError`."""
        if not self._open:
            self._open[warm_up] = parse_workers(self.workers or os.environ.get("SETA_WORKERS", ""), warm_up)
        return next(iter(self._open.values()))

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Any, None, None]:
        """Let go of the workers at the end of the run."""
        try:
            yield self
        finally:
            for workers in self._open.values():
                workers.close()
            self._open.clear()
