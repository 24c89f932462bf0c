"""Measure a process from start to end, and prepare a DAGSTER_HOME for it (Linux only)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SETA_DAG = str(Path(sys.executable).parent / "seta-dag")
_INTERVAL_S = 0.05
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
_OWN_SETTINGS = ("SETA_", "DAGSTER_", "HF_")
"""Prefixes of environment variables that a measured process must not inherit."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process and its children used.

    Attributes:
        cpu: CPU time in seconds, user and system.
        wall: elapsed time in seconds.
        peak_mb: peak memory of the process tree in MB (10**6 bytes).
        last_line: the last line that the process printed, empty if it printed none.
    """

    cpu: float
    wall: float
    peak_mb: float
    last_line: str

    def __add__(self, other: Measured) -> Measured:
        """Combine two processes that ran one after the other."""
        peak = max(self.peak_mb, other.peak_mb)
        return Measured(self.cpu + other.cpu, self.wall + other.wall, peak, other.last_line)


def new_home(folder: Path) -> Path:
    """Create `folder` as a DAGSTER_HOME with the settings of this repository."""
    text = (Path(__file__).parents[1] / "dagster.yaml").read_text("utf-8")
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(text.replace("data/.dagster", str(folder)))
    return folder


def measure(command: list[str], home: Path | None = None) -> Measured:
    """Run a command to its end, with `home` as its DAGSTER_HOME.

    Raises:
        RuntimeError: if it fails; the message contains the end of its standard error.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_SETTINGS)}
    env |= {"DAGSTER_HOME": str(home)} if home else {}
    # Files and not pipes: a pipe that nobody reads would block the process when it is full.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        measured, code = _run(command, env, stdout, stderr)
        lines = _text(stdout).splitlines()
        if code:
            raise RuntimeError(f"{' '.join(command)}: exit code {code}\n{_text(stderr)[-4000:]}")
    return Measured(*measured, lines[-1] if lines else "")


def _run(
    command: list[str], env: dict[str, str], stdout: IO[bytes], stderr: IO[bytes]
) -> tuple[tuple[float, float, float], int]:
    """Return ((CPU seconds, wall seconds, peak in MB), exit code)."""
    done, started = threading.Event(), time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=stdout, stderr=stderr)
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(_watch, process.pid, done)
        try:
            # Not `process.wait()`: only `wait4` returns the CPU time of exactly this child.
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - started
        finally:
            done.set()
    process.returncode = os.waitstatus_to_exitcode(status)
    # The kernel knows the peak of the largest process, only the watcher the sum over several.
    peak = max(watching.result(), usage.ru_maxrss * 1024 / 1e6)
    return (usage.ru_utime + usage.ru_stime, wall, peak), process.returncode


def _watch(pid: int, done: threading.Event) -> float:
    """Return the peak memory of a process tree in MB, sampled until `done` is set."""
    peak = 0.0
    while not done.wait(_INTERVAL_S):
        peak = max(peak, sum(map(_resident_mb, _tree(pid))))
    return peak


def _tree(pid: int) -> Iterator[int]:
    """Yield a process and its present descendants."""
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += _children(current)


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:  # it has ended
        return []
    # The kernel lists children per thread that started them.
    return [int(child) for one in threads for child in _read(f"/proc/{pid}/task/{one}/children").split()]


def _resident_mb(pid: int) -> float:
    """Return the resident memory of a process; shared pages count in every process."""
    sizes = _read(f"/proc/{pid}/statm").split()
    return int(sizes[1]) * _PAGE_MB if sizes else 0.0


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except OSError:  # the process has ended since it was listed
        return ""


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
