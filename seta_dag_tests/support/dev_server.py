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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from seta_dag_tests.support.builds import REPOSITORY, Place
from seta_dag_tests.support.processes import BIN, environment, wait_until

_SENSOR = """{ sensorOrError(sensorSelector: {
    repositoryName: "__repository__", repositoryLocationName: "seta_dag", sensorName: "new_rollouts"
}) { ... on Sensor { sensorState { ticks(limit: 10) { status skipReason runIds } } } } }"""
_RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"
_QUEUE = """
run_coordinator:  # by default a run waits up to 5 seconds before the daemon starts it
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1}
"""


@dataclass(frozen=True)
class DevServer:
    """A running `dagster dev`.

    Attributes:
        address: URL of the webserver, without a slash at the end.
        place: the rollouts and the output directory that it builds.
        process: `dagster dev` itself, the parent of the webserver and the daemon.
    """

    address: str
    place: Place
    process: subprocess.Popen[bytes]

    def ask(self, query: str) -> Any:
        """Return the `data` of the answer to a GraphQL query."""
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(
            f"{self.address}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def ticks(self) -> list[dict[str, Any]]:
        """Return the sensor's last ten ticks, latest first."""
        found: list[dict[str, Any]] = self.ask(_SENSOR)["sensorOrError"]["sensorState"]["ticks"]
        return found

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs, latest first, with their tags as a dict."""
        results = self.ask(_RUNS)["runsOrError"]["results"]
        return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in results]

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds; fail if the server ends before that."""
        assert wait_until(condition, lambda: self.process.poll() is None, pause=0.2), "dagster dev ended"

    def answers(self) -> bool:
        """Return whether the webserver answers yet."""
        try:
            return bool(self.ask("{ version }"))
        except OSError:
            return False


@contextmanager
def serving(place: Place) -> Iterator[DevServer]:
    """Run `dagster dev` in the place's folder, without DAGSTER_HOME.

    Its settings are those of the repository, except that runs do not wait in the queue.
    """
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, place.folder)
    with (place.folder / "dagster.yaml").open("a") as settings:
        settings.write(_QUEUE)
    port = _free_port()
    with (place.folder / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)],
            env=environment(place, None, SETA_QUIET_SECONDS="1"),
            cwd=place.folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_heed_interrupts,
        )
        try:
            server = DevServer(f"http://127.0.0.1:{port}", place, process)
            server.wait(server.answers)
            yield server
        finally:
            _stop(process)


def _heed_interrupts() -> None:
    """Undo that SIGINT is ignored: a shell does that to its background jobs, and children inherit it.

    `dagster dev` stops its own processes by SIGINT, whatever signal it gets itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let the server end its own processes, then kill what is left of its session."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(60)
    finally:
        with suppress(ProcessLookupError):  # code servers end seconds after `dagster dev`, or already have
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # port 0: the system chooses a free one
        return int(probe.getsockname()[1])
