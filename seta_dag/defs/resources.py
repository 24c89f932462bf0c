"""What the assets work on: the project's directories and the student."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from seta_dag.errors import ConfigError
from seta_dag.executor.memory import give_back
from seta_dag.hub.card.prose import Prose, read_prose
from seta_dag.hub.client import Target
from seta_dag.hub.preflight import Gate
from seta_dag.hub.publish import Published, publish
from seta_dag.store.layout import OutputLayout
from seta_dag.store.lock import locked
from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.load_ahead import load_ahead, loaded
from seta_dag.tokens.student.engines import EngineName
from seta_dag.tokens.student.student import DEFAULT_STUDENT, Student, find_student
from seta_dag.tokens.variants import Variant

SAMPLED = 0.05  # of the trials; every flagged one comes on top


class Project(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the rollouts are read and the datasets written. A run holds the lock of `out`."""

    rollouts: str = Field(default="", description="Rollouts root. Empty: SETA_ROLLOUTS, else data/rollouts.")
    out: str = Field(default="", description="Output directory. Empty: SETA_OUT, else data/out.")
    runs: str = Field(default="*", description="Glob on the runs' names or paths below the rollouts root.")
    quiet: float | None = Field(
        default=None,
        description="Seconds for which changed rollouts must not be written to before the sensor rebuilds. "
        "Empty: SETA_QUIET_SECONDS, else 60.",
    )

    @property
    def root(self) -> Path:
        """The rollouts root."""
        return Path(self.rollouts or os.environ.get("SETA_ROLLOUTS") or "data/rollouts")

    @property
    def target(self) -> OutputLayout:
        """The output directory."""
        return OutputLayout(Path(self.out or os.environ.get("SETA_OUT") or "data/out"))

    @property
    def quiet_seconds(self) -> float:
        """How long changed rollouts must be quiet before the sensor requests a rebuild."""
        given = os.environ.get("SETA_QUIET_SECONDS", "60") if self.quiet is None else str(self.quiet)
        try:
            return float(given)
        except ValueError as error:
            raise ConfigError(f"SETA_QUIET_SECONDS {given}: give a number of seconds") from error

    def check(self) -> None:
        """Raises `ConfigError` where the two directories can't be used together."""
        root, out = self.root.resolve(), self.target.root.resolve()
        if root.is_relative_to(out) or out.is_relative_to(root):
            raise ConfigError(f"{out} and {root}: the output and the rollouts may not lie in one another")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Any, None, None]:
        """Holds the output directory's lock for the whole run."""
        self.check()
        give_back()
        log = context.log
        message = f"another build writes to {self.target.root}; waiting for it to end"
        with locked(self.target.root, lambda: log.warning(message) if log else None):
            yield self


class StudentSettings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Whose tokenizer and chat template the rows are written for."""

    name: str = Field(
        default="", description=f"A folder or a Hub id. Empty: SETA_STUDENT, else {DEFAULT_STUDENT}."
    )
    engine: str = Field(default="fastokens", description="fastokens, or hf for the reference engine.")

    prove_all: bool = Field(
        default=False, description="Hold every row against the reference engine, not a sample of 5 %."
    )

    def find(self) -> Student:
        """The student. Raises `StudentError` where it can't be used."""
        return find_student(self.name or os.environ.get("SETA_STUDENT") or DEFAULT_STUDENT)

    def load_ahead(self) -> None:
        """Begins to load what proves the rows, and goes on."""
        load_ahead(self.find(), self._engine())

    def load(self) -> RowMaker:
        """What makes and proves the rows; it is kept as long as it is used."""
        return RowMaker(loaded(self.find(), self._engine()), 1.0 if self.prove_all else SAMPLED)

    def _engine(self) -> EngineName:
        if self.engine not in ("fastokens", "hf"):
            raise ConfigError(f"engine {self.engine}: give fastokens or hf")
        return "hf" if self.engine == "hf" else "fastokens"


class HubSettings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the datasets are published. Without `repo` nothing is, and nothing leaves the machine."""

    repo: str = Field(default="", description="ORG/NAME-{variant}. Empty: SETA_HUB_REPO, else no publish.")
    private: bool = Field(default=False, description="Create the repositories as private ones.")
    pull_request: bool = Field(default=False, description="Open a pull request instead of a commit.")
    tag: str = Field(default="", description="Tag for the commit; auto: named after the content.")
    allow_secrets: bool = Field(default=False, description="Publish although secrets were found.")
    allowed: str = Field(default="", description="File of fingerprints of secrets that may be published.")
    card: str = Field(
        default="", description="TOML file with prose for the cards. Empty: SETA_CARD, else none."
    )

    @property
    def pattern(self) -> str:
        """The Hub id with `{variant}` in it, or nothing. Raises `ConfigError` for one without."""
        pattern = self.repo or os.environ.get("SETA_HUB_REPO", "")
        if pattern and "{variant}" not in pattern:
            raise ConfigError(f"repo {pattern}: write {{variant}} where thinking or nothink is to stand")
        return pattern

    def publish(self, project: Project, variant: Variant) -> Published:
        """Publishes one dataset after everything is checked. Raises `PublishError` in a sentence."""
        self.gate(project).require(variant)
        return publish(project.target.dataset(variant), self.target(variant))

    def gate(self, project: Project) -> Gate:
        """What is checked before a publish."""
        allowed = Path(self.allowed) if self.allowed else None
        return Gate(project.target, project.root, project.runs, allowed, self.allow_secrets)

    def target(self, variant: Variant) -> Target:
        """Where one variant goes."""
        repo = self.pattern.replace("{variant}", variant)
        return Target(repo, self.private, self.pull_request, self.tag or None)

    def prose(self) -> Prose:
        """A person's own words for both cards."""
        path = self.card or os.environ.get("SETA_CARD", "")
        return read_prose(Path(path) if path else None)
