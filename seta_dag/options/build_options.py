"""Everything a build depends on apart from the rollouts themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import FILTERS
from seta_dag.tokens.student.student import DEFAULT_STUDENT

ROLLOUTS, OUT = "data/rollouts", "data/out"
"""Default directories, relative to the working directory."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """The options of one build.

    Attributes:
        rollouts: rollouts root, as given.
        runs: glob on names or paths of runs; the other runs are ignored.
        student: folder or Hub id of the student.
        filters: which rows are dropped.
        card: TOML file with a person's own words for the cards, if any.
        redact: whether secrets in logs are replaced, and trials with secrets in their text dropped.
    """

    rollouts: Path = Path(ROLLOUTS)
    runs: str = "*"
    student: str = DEFAULT_STUDENT
    filters: Filters = field(default_factory=Filters)
    card: Path | None = None
    redact: bool = False


def keys() -> list[str]:
    """Return the name of every option, as config files and `SETA_*` variables spell it."""
    return ["rollouts", "out", "runs", "student", "card", "redact", *(one.name for one in FILTERS)]
