"""Builds in processes of their own, to be killed or run side by side."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

from seta_dag_tests.support.builds import REPOSITORY, Place

BIN = Path(sys.executable).parent
_OURS = ("SETA_", "DAGSTER_", "HF_")
_PATIENCE = 90.0  # seconds; what hangs fails its test
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["seta_dag_tests.support.warm"])


def environment(place: Place, home: Path | None, **more: str) -> dict[str, str]:
    """This process's environment less every setting of ours, with the rollouts and OUT of `place`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    given = {"SETA_ROLLOUTS": str(place.rollouts), "SETA_OUT": str(place.out.root)}
    given |= {"DAGSTER_HOME": str(home)} if home else {}
    return kept | given | {"PYTHONPATH": str(REPOSITORY)} | more


@contextmanager
def building(place: Place, home: Path, said: Path, *options: str) -> Iterator[BaseProcess]:
    """`seta-dag build` as a process, what it says in the file `said`; killed when the block ends.

    It is forked where everything is imported and loaded already: that takes most of a build's time.
    """
    arguments = (["build", *options], environment(place, home), said)
    said.touch()
    process = _FORKED.Process(target=_seta_dag, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _seta_dag(arguments: list[str], environment: dict[str, str], said: Path) -> None:
    from seta_dag.cli import main

    os.environ.clear()
    os.environ.update(environment)
    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    main(arguments)


def wait_until(what: Callable[[], object], alive: Callable[[], object], pause: float = 0.002) -> bool:
    """Looks every `pause` seconds until `what` holds; False if what it waits for died before."""
    until = time.monotonic() + _PATIENCE
    while not what():
        if not alive():
            return bool(what())
        assert time.monotonic() < until, "waited too long"
        time.sleep(pause)
    return True
