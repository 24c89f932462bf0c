"""A live `dagster dev`: webserver, daemon and code server, as `make ui` starts them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from seta_dag_tests.support.builds import REPOSITORY, Place
from seta_dag_tests.support.processes import BIN, environment, wait_until

_SENSOR = """{ sensorOrError(sensorSelector: {
    repositoryName: "__repository__", repositoryLocationName: "seta_dag", sensorName: "new_rollouts"
}) { ... on Sensor { sensorState { ticks(limit: 10) { status skipReason runIds } } } } }"""
_RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"


@dataclass(frozen=True)
class DevServer:
    """The server at `address` over `place`."""

    address: str
    place: Place
    process: subprocess.Popen[bytes]

    def ask(self, query: str) -> Any:
        """The answer to a GraphQL query."""
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(
            f"{self.address}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def ticks(self) -> list[dict[str, Any]]:
        """The sensor's last ticks, the latest first."""
        found: list[dict[str, Any]] = self.ask(_SENSOR)["sensorOrError"]["sensorState"]["ticks"]
        return found

    def runs(self) -> list[dict[str, Any]]:
        """All runs, the latest first; their tags as a dict."""
        results = self.ask(_RUNS)["runsOrError"]["results"]
        return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in results]

    def wait(self, what: Callable[[], object]) -> None:
        """Waits for it while the server lives."""
        assert wait_until(what, lambda: self.process.poll() is None, pause=0.2), "dagster dev ended"

    def answers(self) -> bool:
        """Whether it serves pages yet."""
        try:
            return bool(self.ask("{ version }"))
        except OSError:
            return False


@contextmanager
def serving(place: Place) -> Iterator[DevServer]:
    """`dagster dev` in the place's folder, with the repository's own settings and no DAGSTER_HOME."""
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, place.folder)
    port = _free_port()
    with (place.folder / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)],
            env=environment(place, None, SETA_QUIET_SECONDS="1"),
            cwd=place.folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            server = DevServer(f"http://127.0.0.1:{port}", place, process)
            server.wait(server.answers)
            yield server
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let the server end its own processes, then kill what is left of its session.

    By SIGTERM: a shell makes its background jobs ignore SIGINT, and their children inherit that.
    """
    process.terminate()
    try:
        process.wait(60)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
