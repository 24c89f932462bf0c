"""Where everything is under the output directory: datasets, ledger, options and the state of the build."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from seta_dag.errors import NotBuiltError

FORMAT_VERSION = "5"
"""Version of everything that is written: rows, shards, tables, files of pieces, options.

Raise it whenever a rule or a written form changes. Whatever another version wrote is then built again.
"""


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """Paths under an output directory.

    Attributes:
        root: the output directory.
    """

    root: Path

    @property
    def ledger(self) -> Path:
        """The ledger: one line per trial."""
        return self.root / "ledger.parquet"

    @property
    def options(self) -> Path:
        """The options of the last build, for later builds and commands."""
        return self.root / "options.json"

    @property
    def instance(self) -> Path:
        """The record of runs, for builds that are recorded nowhere else."""
        return self.root / ".dagster"

    @property
    def stages(self) -> Path:
        """Everything that only makes the next build faster; safe to delete."""
        return self.root / "stages"

    @property
    def resume_chain(self) -> Path:
        """The merge: which trials are canonical, and the fingerprint of each task."""
        return self.table("resume_chain")

    def dataset(self, variant: str) -> Path:
        """Return the directory of a variant's dataset, as it is published."""
        return self.root / variant

    def shard_facts(self, variant: str) -> Path:
        """Return the table of what was read back from a variant's shards."""
        return self.memo(f"{variant}.facts")

    def memo(self, name: str) -> Path:
        """Return the path of a table of facts about files, which hold as long as the files do not change."""
        return self.stages / "memos" / f"{name}.parquet"

    def forget(self) -> None:
        """Remove these tables, so that the next build reads and writes everything again."""
        shutil.rmtree(self.stages / "memos", ignore_errors=True)

    def table(self, name: str) -> Path:
        """Return the path of a table of the build's state."""
        return self.stages / f"{name}.parquet"

    @property
    def pieces(self) -> Path:
        """The folder of the files with the rows of all tasks."""
        return self.stages / "pieces"

    def piece(self, name: str) -> Path:
        """Return the path of one of them."""
        return self.pieces / name


def existing(path: Path, stage: str) -> Path:
    """Return `path` if it exists. Raises `NotBuiltError`, which names the stage to materialize."""
    if not path.exists():
        raise NotBuiltError(f"{path}: not built yet; run seta-dag build (or materialize {stage})")
    return path
