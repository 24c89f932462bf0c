"""Worker processes: what they share, what they do without, and how they end with their driver.

Each test has a driver of its own, since a process has one fork server, which is warmed up once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from seta_dag_tests.support.builds import REPOSITORY
from seta_dag_tests.support.processes import in_session, is_alive, wait_until

ANCESTRY = """
import json, sys
from seta_dag.executor.process_pool import ProcessPool
from seta_dag.executor.warm_up import WarmUp
from seta_dag.executor.completed import completed
from seta_dag_tests.support.work import ancestry

pool = ProcessPool(2, WarmUp("seta_dag_tests.support.work:warm_up", tuple(sys.argv[1:])))
results = []
for _ in range(2):
    with completed(pool, ancestry, range(20)) as done:
        results += [result for _, result in done]
    pool.close()
print(json.dumps(results))
"""
WAIT = """
import sys
from pathlib import Path
from seta_dag.executor.process_pool import ProcessPool
from seta_dag.executor.warm_up import WarmUp
from seta_dag.executor.completed import completed
from seta_dag_tests.support.work import wait_for

pool = ProcessPool(2, WarmUp("seta_dag_tests.support.work:hold_up", (sys.argv[1],)))
try:
    with completed(pool, wait_for, [Path(sys.argv[1], "go")] * 40) as done:
        print(len(list(done)))
except KeyboardInterrupt:
    pool.close()
    sys.exit(130)
"""


def run(*command: object) -> str:
    """Run Python to its end and return what it prints."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def waiting(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `WAIT` in a session of its own, and kill what is left of that in the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT, folder],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell makes its background jobs ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def begun(folder: Path) -> set[int]:
    """Return the workers that have begun an item."""
    return {int(path.suffix[1:]) for path in folder.glob("go.*")}


@pytest.mark.parametrize("errors", [[], ["cannot be loaded"]])
def test_fork_server_warms_up_once_and_every_worker_inherits_it(errors: list[str], tmp_path: Path) -> None:
    results = json.loads(run("-c", ANCESTRY, tmp_path / "record", *errors))
    (server,) = map(int, (tmp_path / "record").read_text().split())
    assert len(results) == 40
    assert {(parent, *loaded_by) for _, parent, loaded_by in results} == {(server, server)}
    assert server not in {process for process, _, _ in results}


def test_script_without_a_main_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"print('begins')\n{ANCESTRY}")
    assert run(script, tmp_path / "record").startswith("begins\n[[")
    assert len((tmp_path / "record").read_text().split()) == 1


def test_killed_driver_leaves_no_process(tmp_path: Path) -> None:
    with waiting(tmp_path) as driver:
        assert wait_until(lambda: len(begun(tmp_path)) == 2, lambda: driver.poll() is None)
        driver.kill()
        driver.wait()
        assert wait_until(lambda: not in_session(driver.pid), lambda: True)


def test_killed_fork_server_costs_a_retry(tmp_path: Path) -> None:
    with waiting(tmp_path) as driver:
        assert wait_until(lambda: len(begun(tmp_path)) == 2, lambda: driver.poll() is None)
        os.kill(int((tmp_path / "server").read_text()), signal.SIGKILL)
        (tmp_path / "go").touch()
        assert driver.communicate() == ("40\n", "")


def test_interrupt_ends_what_has_begun_and_leaves_no_process(tmp_path: Path) -> None:
    with waiting(tmp_path) as driver:
        assert wait_until(lambda: len(begun(tmp_path)) == 2, lambda: driver.poll() is None)
        os.killpg(driver.pid, signal.SIGINT)  # as a terminal does: every process gets it
        assert all(map(is_alive, begun(tmp_path)))
        (tmp_path / "go").touch()
        assert driver.communicate() == ("", "")
        assert driver.returncode == 130
        assert wait_until(lambda: not in_session(driver.pid), lambda: True)


def test_interrupt_does_not_reach_the_fork_server_while_it_warms_up(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    with waiting(tmp_path) as driver:
        assert wait_until((tmp_path / "server").exists, lambda: driver.poll() is None)
        os.killpg(driver.pid, signal.SIGINT)
        (tmp_path / "go").touch()
        (tmp_path / "hold").unlink()
        assert driver.communicate() == ("", "")
        assert driver.returncode == 130
        assert wait_until(lambda: not in_session(driver.pid), lambda: True)


def test_fork_server_ends_with_its_driver_while_it_warms_up(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    with waiting(tmp_path) as driver:
        assert wait_until((tmp_path / "server").exists, lambda: driver.poll() is None)
        driver.kill()
        driver.wait()
        assert wait_until(lambda: not in_session(driver.pid), lambda: True)
