"""Builds in processes of their own, to kill them or to run two at once."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from seta_dag_tests.support.builds import REPOSITORY, Place

BIN = Path(sys.executable).parent
_OURS = ("SETA_", "DAGSTER_", "HF_")
_PATIENCE = 90.0  # seconds until a test that hangs fails; far longer than a slow machine needs
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["seta_dag_tests.support.warm"])


def environment(place: Place, home: Path | None, **more: str) -> dict[str, str]:
    """Return this process's environment with the settings of `place` instead of any others.

    `home` becomes `DAGSTER_HOME`, which is unset if it is None; `more` are further variables.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    settings = {"SETA_ROLLOUTS": str(place.rollouts), "SETA_OUT": str(place.out.root)}
    settings |= {"DAGSTER_HOME": str(home)} if home else {}
    return inherited | settings | {"PYTHONPATH": str(REPOSITORY)} | more


@contextmanager
def building(place: Place, home: Path, output: Path, *options: str) -> Iterator[BaseProcess]:
    """Run `seta-dag build` as a process that writes to the file `output`; kill it when the block ends.

    The process is forked from a server that has everything imported and loaded (`support.warm`), since that
    takes most of the time of a build.
    """
    arguments = (["build", *options], environment(place, home), output)
    output.touch()  # the caller may read it before the process has opened it
    process = _FORKED.Process(target=_seta_dag, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _seta_dag(arguments: list[str], environment: dict[str, str], output: Path) -> None:
    from seta_dag.cli import main

    os.environ.clear()
    os.environ.update(environment)
    with output.open("w") as file:
        # By descriptor: output of C libraries and of child processes is to land in the file too.
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    main(arguments)


def wait_until(condition: Callable[[], object], alive: Callable[[], object], pause: float = 0.002) -> bool:
    """Poll every `pause` seconds until `condition` holds; return False if `alive` ends before that."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if not alive():
            return bool(condition())  # it may have come true in the process's last moments
        assert time.monotonic() < deadline, f"waited longer than {_PATIENCE:.0f} s"
        time.sleep(pause)
    return True


def is_alive(process: int) -> bool:
    """Return whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def in_session(session: int) -> list[int]:
    """Return the processes of a session that run, among them those that their parent has left behind."""
    found = []
    for process in psutil.pids():
        with suppress(ProcessLookupError):  # it has just ended
            if os.getsid(process) == session and is_alive(process):
                found.append(process)
    return found
