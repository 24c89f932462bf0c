"""The command line as a process of its own, as a person starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seta_dag_tests.support.builds import REPOSITORY, Place

SETA_DAG = str(Path(sys.executable).parent / "seta-dag")
_SETTINGS = ("SETA_", "DAGSTER_", "HF_")
_PATIENCE = 60.0  # seconds; a build that hangs fails its test


def environment(place: Place, home: Path | None = None, **more: str) -> dict[str, str]:
    """This process's environment less every setting of ours, with the rollouts and OUT of `place`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    given = {"SETA_ROLLOUTS": str(place.rollouts), "SETA_OUT": str(place.out.root)}
    given |= {"DAGSTER_HOME": str(home)} if home else {}
    return kept | given | {"PYTHONPATH": str(REPOSITORY), "DAGSTER_DISABLE_TELEMETRY": "1"} | more


def started(arguments: list[str], environment: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    """A process whose both outputs are kept."""
    return subprocess.Popen(
        arguments, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Ends the process with the block, whatever happens in it."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(what: Callable[[], object], process: subprocess.Popen[str], pause: float = 0.002) -> bool:
    """Looks every `pause` seconds until `what` holds; False if the process ended before."""
    until = time.monotonic() + _PATIENCE
    while not what():
        if process.poll() is not None:
            return False
        assert time.monotonic() < until, "waited too long"
        time.sleep(pause)
    return True
