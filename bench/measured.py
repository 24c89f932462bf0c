"""What the benches share: a process measured from its start to its end, and a home for its instance."""

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
_EVERY_S = 0.05
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
_OWN_SETTINGS = ("SETA_", "DAGSTER_", "HF_")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process and its children took; `said` is the last line that it printed."""

    cpu: float
    wall: float
    peak_mb: float
    said: str

    def __add__(self, after: Measured) -> Measured:
        """Two processes one after the other, as one figure."""
        peak = max(self.peak_mb, after.peak_mb)
        return Measured(self.cpu + after.cpu, self.wall + after.wall, peak, after.said)


def new_home(folder: Path) -> Path:
    """`folder` as a DAGSTER_HOME with the repository's settings."""
    text = (Path(__file__).parents[1] / "dagster.yaml").read_text("utf-8")
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(text.replace("data/.dagster", str(folder)))
    return folder


def measure(command: list[str], home: Path | None = None) -> Measured:
    """Runs a command to its end. Raises `RuntimeError` with what it printed, where it fails."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_SETTINGS)}
    env |= {"DAGSTER_HOME": str(home)} if home else {}
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complained:
        measured, code = _run(command, env, printed, complained)
        lines = _text(printed).splitlines()
        if code:
            raise RuntimeError(f"{' '.join(command)}: exit code {code}\n{_text(complained)[-4000:]}")
    return Measured(*measured, lines[-1] if lines else "")


def _run(
    command: list[str], env: dict[str, str], printed: IO[bytes], complained: IO[bytes]
) -> tuple[tuple[float, float, float], int]:
    """((CPU seconds, wall seconds, peak in MB), exit code)."""
    done, started = threading.Event(), time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=printed, stderr=complained)
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(_watch, process.pid, done)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - started
        finally:
            done.set()
    process.returncode = os.waitstatus_to_exitcode(status)
    # The largest single process is known to the kernel; the sum over several only to the watcher.
    peak = max(watching.result(), usage.ru_maxrss * 1024 / 1e6)
    return (usage.ru_utime + usage.ru_stime, wall, peak), process.returncode


def _watch(pid: int, done: threading.Event) -> float:
    """The most memory that the tree of a process had at once, in MB; its own CPU time is not theirs."""
    peak = 0.0
    while not done.wait(_EVERY_S):
        peak = max(peak, sum(map(_resident_mb, _tree(pid))))
    return peak


def _tree(pid: int) -> Iterator[int]:
    """A process and its descendants, as they are now."""
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += _children(one)


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:  # it has ended
        return []
    return [int(child) for one in threads for child in _read(f"/proc/{pid}/task/{one}/children").split()]


def _resident_mb(pid: int) -> float:
    """Pages that two processes share, or that are a mapped file's, count each time."""
    sizes = _read(f"/proc/{pid}/statm").split()
    return int(sizes[1]) * _PAGE_MB if sizes else 0.0


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except OSError:
        return ""


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
