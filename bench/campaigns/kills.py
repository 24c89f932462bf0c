"""Kill builds at random moments: `python bench/campaigns/kills.py [KILLS] [SEED]`, by default 50 and 1.

Each build of the sample has two workers. Either `seta-dag build` is killed, or one of its workers, which it
must survive. The next build must give the bytes of an undisturbed one, and leave neither a partial file nor a
process. Prints one line of figures.

On a shared machine of two cores: 50 kills, 5 of them of a worker: 0 differ, 0 left behind.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).parents[2]
SAMPLE = REPOSITORY / "data/rollouts"
_OF_WORKERS = 0.35
"""Share of the kills that hit a worker."""


def main(kills: int, seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        started = time.monotonic()
        start(place / "reference").wait()
        seconds, wanted = time.monotonic() - started, files(place / "reference")
        counts: Counter[str] = Counter()
        while counts["kills"] < kills:
            out = place / "out"
            counts += one(out, rng, seconds, wanted)
            shutil.rmtree(out)
    print(", ".join(f"{name} {counts[name]}" for name in ("kills", "of a worker", "differ", "left behind")))


def one(out: Path, rng: random.Random, seconds: float, wanted: dict[str, str]) -> Counter[str]:
    """Start a build, kill it or a worker at a random moment, and build again."""
    build = start(out)
    time.sleep(rng.uniform(0.3, seconds))
    processes = session(build.pid)
    workers = [pid for pid in processes if pid != build.pid and is_worker(pid, processes)]
    of_worker = bool(workers) and rng.random() < _OF_WORKERS
    hit = build.poll() is None
    if hit:
        os.kill(rng.choice(workers) if of_worker else build.pid, signal.SIGKILL)
    survived = build.wait() == 0
    again = start(out).wait()
    left = list(out.rglob(".*.part")) + session(build.pid)
    return Counter(
        {
            "kills": hit,
            "of a worker": hit and of_worker,
            "differ": again != 0 or files(out) != wanted or (of_worker and not survived),
            "left behind": len(left),
        }
    )


def start(out: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        "from seta_dag.cli import main; main()",
        "build",
        "--rollouts",
        str(SAMPLE),
    ]
    settings = {
        name: value for name, value in os.environ.items() if not name.startswith(("SETA_", "DAGSTER_"))
    }
    return subprocess.Popen(
        [*command, "--out", str(out)],
        env=settings | {"SETA_WORKERS": "2", "PYTHONPATH": str(REPOSITORY)},
        cwd=out.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def session(leader: int) -> list[int]:
    """Return the processes of a session after those that are ending have ended."""
    time.sleep(0.3)
    return [pid for pid in psutil.pids() if _session(pid) == leader]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid) if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE else None
    except (ProcessLookupError, psutil.NoSuchProcess):
        return None


def is_worker(pid: int, processes: list[int]) -> bool:
    """Return whether a process was forked by the fork server, itself a child of the build."""
    try:
        parent = psutil.Process(pid).parent()
        return (
            parent is not None
            and parent.pid in processes
            and parent.parent() is not None
            and (parent.parent().pid in processes)
        )
    except psutil.NoSuchProcess:
        return False


def files(out: Path) -> dict[str, str]:
    """Return the sha256 of the ledger and of every file of both datasets."""
    paths = [out / "ledger.parquet", *out.glob("*think*/**/*.*")]
    found = [path for path in paths if path.is_file()]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


if __name__ == "__main__":
    main(*(int(given) for given in (*sys.argv[1:], *("50", "1")[len(sys.argv) - 1 :])))
