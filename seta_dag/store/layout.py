"""Where everything is under the output directory: datasets, ledger, options and stage files."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from seta_dag.errors import NotBuiltError

FORMAT_VERSION = "4"
"""Version of everything that is written: rows, shards, stage files, memos, options.

Raise it whenever a rule or a written form changes. Whatever another version wrote is then built again.
"""


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """Paths under an output directory.

    The name of a task's stage file contains the task's fingerprint: the stage is built for the task as it is
    now exactly if an entry of that name exists.

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
    def stages(self) -> Path:
        """Everything that only makes the next build faster; safe to delete."""
        return self.root / "stages"

    @property
    def resume_chain(self) -> Path:
        """The merge: which trials are canonical, and the fingerprint of each task."""
        return self.stages / "resume_chain.json"

    def dataset(self, variant: str) -> Path:
        """Return the directory of a variant's dataset, as it is published."""
        return self.root / variant

    def shard_facts(self, variant: str) -> Path:
        """Return the memo of what was read back from a variant's shards."""
        return self.memo(f"{variant}.facts")

    def memo(self, name: str) -> Path:
        """Return the path of a memo: a fact about files that holds as long as they do not change."""
        return self.stages / "memos" / f"{name}.json"

    def forget(self) -> None:
        """Remove every memo, so that the next build reads and writes everything again."""
        shutil.rmtree(self.stages / "memos", ignore_errors=True)

    def journal(self, stage: str) -> Path:
        """Return the journal of a stage (trials, ctrf or tokens): one entry per task that is built."""
        return self.stages / f"{stage}.journal"

    def stage(self, stage: str) -> Path:
        """Return the folder of a stage that has one file per task: tokens or failed."""
        return self.stages / stage

    def task_file(self, stage: str, task: str, fingerprint: str) -> Path:
        """Return the stage file of a task with that fingerprint."""
        return self.stage(stage) / task_file_name(stage, task, fingerprint)

    def built(self, stage: str) -> set[str]:
        """Return the names of the existing stage files."""
        folder = self.stage(stage)
        # Missing before the first build; a file in its place counts as missing too.
        return {path.name for path in folder.iterdir() if path.is_file()} if folder.is_dir() else set()

    def remove_stale(self, stage: str, fingerprints: Mapping[str, str]) -> None:
        """Remove the stage files of tasks and fingerprints that are no longer current."""
        current = {task_file_name(stage, task, value) for task, value in fingerprints.items()}
        # The old file of a task that changed is stale too: its name has the old fingerprint.
        for name in self.built(stage) - current:
            (self.stage(stage) / name).unlink(missing_ok=True)


def task_file_name(stage: str, task: str, fingerprint: str) -> str:
    """Return the name of a task's stage file, which is also the name of its journal entry."""
    return f"{_slug(task)}.{fingerprint}.{'arrow' if stage == 'tokens' else 'json'}"


@lru_cache(maxsize=100_000)  # every stage asks for the name of every task
def _slug(task: str) -> str:
    """Make a file name of any task name: readable, and unique on file systems that ignore case."""
    digest = hashlib.sha256(task.encode()).hexdigest()[:12]
    # 80 characters and a digest stay below the 255 bytes that file systems allow, fingerprint included.
    return f"{re.sub(r'[^A-Za-z0-9._+@-]', '_', task)[:80]}-{digest}"


def existing(path: Path, stage: str) -> Path:
    """Return `path` if it exists. Raises `NotBuiltError`, which names the stage to materialize."""
    if not path.exists():
        raise NotBuiltError(f"{path}: not built yet; run seta-dag build (or materialize {stage})")
    return path
