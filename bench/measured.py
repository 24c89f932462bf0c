"""Measure a process from start to end, and prepare a DAGSTER_HOME for it (Linux only)."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from memory import children, watched

SETA_DAG = str(Path(sys.executable).parent / "seta-dag")
_OWN_SETTINGS = ("SETA_", "DAGSTER_", "HF_")
"""Prefixes of environment variables that a measured process must not inherit."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process and its children used.

    Attributes:
        cpu: CPU time in seconds, user and system.
        wall: elapsed time in seconds.
        peak_mb: peak memory of all processes together (PSS) in MB (10**6 bytes).
        last_line: the last line that the process printed, empty if it printed none.
        driver_cpu: what of `cpu` the process itself used, without its workers.
        worker_mb: peak memory (PSS) of the largest worker in MB, 0 without workers.
    """

    cpu: float
    wall: float
    peak_mb: float
    last_line: str
    driver_cpu: float
    worker_mb: float

    def __add__(self, other: Measured) -> Measured:
        """Combine two processes that ran one after the other."""
        cpu, wall, driver = self.cpu + other.cpu, self.wall + other.wall, self.driver_cpu + other.driver_cpu
        peak, worker = max(self.peak_mb, other.peak_mb), max(self.worker_mb, other.worker_mb)
        return Measured(cpu, wall, peak, other.last_line, driver, worker)


def new_home(folder: Path) -> Path:
    """Create `folder` as a DAGSTER_HOME with the settings of this repository."""
    text = (Path(__file__).parents[1] / "dagster.yaml").read_text("utf-8")
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(text.replace("data/.dagster", str(folder)))
    return folder


def measure(command: list[str], home: Path | None = None, workers: Sequence[int] = ()) -> Measured:
    """Run a command to its end, with `home` as its DAGSTER_HOME.

    `workers` are running processes, a cluster, that work for it and for nobody else in the meantime.

    Raises:
        RuntimeError: if it fails; the message contains the end of its standard error.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_SETTINGS)}
    env |= {"DAGSTER_HOME": str(home)} if home else {}
    # Files and not pipes: a pipe that nobody reads would block the process when it is full.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        started, before = time.monotonic(), children(os.getpid())
        process = subprocess.Popen(command, env=env, stdout=stdout, stderr=stderr)
        used = sum(map(_cpu, workers))
        with watched(process.pid, workers) as peak:
            # Not `process.wait()`: only `wait4` returns the CPU time of exactly this child.
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        driver, used = _seconds(usage), sum(map(_cpu, workers)) - used + _reap(before)
        lines = _text(stdout).splitlines()
        if process.returncode:
            code, said = process.returncode, _text(stderr)[-4000:]
            raise RuntimeError(f"{' '.join(command)}: exit code {code}\n{said}")
    last = lines[-1] if lines else ""
    return Measured(driver + used, wall, peak.tree_mb, last, driver, peak.worker_mb)


def adopt_orphans() -> None:
    """Become the parent of what children leave behind, such as a fork server, so that its CPU time counts."""
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def _reap(before: Iterable[int]) -> float:
    """Wait for the orphans that were adopted since `before`, and return their CPU time in seconds."""
    orphans = set(children(os.getpid())) - set(before)
    return sum(_seconds(os.wait4(orphan, 0)[2]) for orphan in orphans)


def _seconds(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def _cpu(pid: int) -> float:
    """Return the CPU time of a running process in seconds, with its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
