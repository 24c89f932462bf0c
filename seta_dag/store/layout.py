"""What lies where under the output directory: the datasets and the ledger, and the stage files."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from seta_dag.errors import NotBuiltError

FORMAT_VERSION = "3"
"""Version of everything that is written: rows, shards, stage files, memos, options.

Raise it whenever a rule or a written form changes. Whatever another version wrote is then built again.
"""


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """Paths under `root`. What is kept of a task carries its fingerprint in its name, so a stage is
    built exactly when there is something of that name."""

    root: Path

    @property
    def ledger(self) -> Path:
        """The ledger: one line a trial."""
        return self.root / "ledger.parquet"

    @property
    def options(self) -> Path:
        """The options of the last build, for later builds and commands."""
        return self.root / "options.json"

    @property
    def stages(self) -> Path:
        """Everything that is kept only to build the next time faster."""
        return self.root / "stages"

    @property
    def resume_chain(self) -> Path:
        """Which trial is canonical, and the fingerprint of each task."""
        return self.stages / "resume_chain.json"

    def dataset(self, variant: str) -> Path:
        """The dataset's own directory, as it is published."""
        return self.root / variant

    def shard_facts(self, variant: str) -> Path:
        """What was read back from the shards, kept while they are not touched."""
        return self.memo(f"{variant}.facts")

    def memo(self, name: str) -> Path:
        """Something known of files, kept so as not to read them again while they are not touched."""
        return self.stages / "memos" / f"{name}.json"

    def forget(self) -> None:
        """Removes every memo: what is built then is read, and written, anew."""
        shutil.rmtree(self.stages / "memos", ignore_errors=True)

    def journal(self, stage: str) -> Path:
        """What is kept of each task that is built in a stage: trials, ctrf or tokens."""
        return self.stages / f"{stage}.journal"

    def stage(self, stage: str) -> Path:
        """The folder of the files of a stage, one a task: tokens or failed."""
        return self.stages / stage

    def task_file(self, stage: str, task: str, fingerprint: str) -> Path:
        """The stage file of `task` as it is with `fingerprint`."""
        return self.stage(stage) / task_file_name(stage, task, fingerprint)

    def built(self, stage: str) -> set[str]:
        """The names of the stage files that are there."""
        folder = self.stage(stage)
        return {path.name for path in folder.iterdir() if path.is_file()} if folder.is_dir() else set()

    def remove_stale(self, stage: str, fingerprints: Mapping[str, str]) -> None:
        """Removes the stage files of tasks and fingerprints that are no longer current."""
        current = {task_file_name(stage, task, value) for task, value in fingerprints.items()}
        for name in self.built(stage) - current:
            (self.stage(stage) / name).unlink(missing_ok=True)


def task_file_name(stage: str, task: str, fingerprint: str) -> str:
    """The name of a task's stage file in its stage's folder."""
    return f"{_slug(task)}.{fingerprint}.{'arrow' if stage == 'tokens' else 'json'}"


@lru_cache(maxsize=100_000)
def _slug(task: str) -> str:
    """A file name for any task name: readable, at most 100 characters, one a task on any file system."""
    digest = hashlib.sha256(task.encode()).hexdigest()[:12]
    return f"{re.sub(r'[^A-Za-z0-9._+@-]', '_', task)[:80]}-{digest}"


def existing(path: Path, stage: str) -> Path:
    """`path`, if it is there. Raises `NotBuiltError` that names the stage to materialize."""
    if not path.exists():
        raise NotBuiltError(f"{path}: not there yet; run seta-dag build (or materialize {stage})")
    return path
