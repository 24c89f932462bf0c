"""A Dask cluster on this machine, for one measurement."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DASK = str(Path(sys.executable).parent / "dask")


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[Path, list[int]]]:
    """Start a scheduler and workers of one thread; yield the scheduler file and the processes."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    options = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    roles = [["scheduler", "--port", "0"], *[["worker", "--nthreads", "1", "--no-nanny"]] * workers]
    with (folder / "cluster.log").open("wb") as log:
        processes = [
            subprocess.Popen([_DASK, *role, *options], cwd=folder, stdout=log, stderr=log) for role in roles
        ]
    try:
        _wait_for(file, workers)
        yield file, [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _wait_for(file: Path, workers: int) -> None:
    from distributed import Client

    while not file.exists():
        time.sleep(0.05)
    with Client(scheduler_file=str(file), set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=120)
