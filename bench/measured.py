"""What the benches share: a process timed from its start to its end, and a home for its instance."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

SETA_DAG = str(Path(sys.executable).parent / "seta-dag")


def new_home(folder: Path) -> Path:
    """`folder` as a DAGSTER_HOME with the repository's settings."""
    text = (Path(__file__).parents[1] / "dagster.yaml").read_text("utf-8")
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(text.replace("data/.dagster", str(folder)))
    return folder


def measure(command: list[str], home: Path) -> tuple[float, float]:
    """(CPU seconds, wall seconds) of a process and its children."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "DAGSTER_HOME": str(home)})
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall
