"""A real Dask cluster on loopback: a scheduler and two workers, which are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import dask.config
import pytest
from distributed import Client

from seta_dag.errors import ClusterLostError, WorkerLostError
from seta_dag.executor.completed import completed
from seta_dag.executor.workers import Workers, parse_workers
from seta_dag_tests.support.builds import REPOSITORY, Place, take
from seta_dag_tests.support.command_line import build
from seta_dag_tests.support.processes import BIN, wait_until
from seta_dag_tests.support.work import Kill, square, wait_for


@dataclass(frozen=True)
class Cluster:
    """A scheduler, by the file that it has written, and its workers."""

    file: Path
    scheduler: subprocess.Popen[bytes]

    @property
    def workers(self) -> Workers:
        return parse_workers(f"dask:{self.file}")

    def worker_processes(self) -> list[int]:
        """Return the process of each worker that is connected; its nanny is another one."""
        with Client(scheduler_file=self.file, set_as_default=False) as client:
            return sorted(client.run(os.getpid).values())


@contextmanager
def cluster(folder: Path, **settings: str) -> Iterator[Cluster]:
    """Start a scheduler and two workers of one thread each, as a person by ssh would."""
    file, env = folder / "scheduler.json", os.environ | {"PYTHONPATH": str(REPOSITORY)} | settings
    ours = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    each = {"scheduler": ["--port", "0"], "first": [], "other": []}
    processes = []
    try:
        for name, more in each.items():
            role = [name] if name == "scheduler" else ["worker", "--nthreads", "1"]
            with (folder / f"{name}.log").open("wb") as log:
                process = subprocess.Popen(
                    [BIN / "dask", *role, *ours, *more],
                    env=env,
                    cwd=folder,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                processes.append(process)
        assert wait_until(file.exists, lambda: processes[0].poll() is None)
        with Client(scheduler_file=file, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=90)
        yield Cluster(file, processes[0])
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


def test_one_of_two_workers_killed_in_mid_build_makes_no_difference(
    shared: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the workers are elsewhere, so relative paths must not reach them
    place, expected = Place(Path("dask")), Place(Path("here"))
    for one in (place, expected):
        take(one.rollouts / "exp/kimi", "stack_overflow__10", "ctrf_", "multi_traj_task")
    victim, killed = shared.worker_processes()[0], list[int]()

    def kill_one() -> None:
        wait_until(lambda: any(place.out.stages.glob("*tokens*")), lambda: True)  # the stage has begun
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)

    killer = threading.Thread(target=kill_one)
    killer.start()
    with dg.DagsterInstance.ephemeral() as instance:
        result = place.build(instance, workers=f"dask:{shared.file}")
        assert killed and not result.failures
        assert not expected.build(instance, workers="1").failures
    killer.join()
    assert result.rebuilt == result.tasks > 15
    assert place.visible() == expected.visible()
    assert victim not in shared.worker_processes()


def test_work_that_kills_its_worker_is_lost_alone(tmp_path: Path) -> None:
    with cluster(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as found:
        bad, workers = Kill(tmp_path / "record", 99), found.workers
        with completed(workers, square, [bad, *range(20)]) as done:
            results = dict(done)
        workers.close()
    lost = results.pop(bad)
    assert isinstance(lost, WorkerLostError) and str(lost) == "its worker was killed 3 times"
    assert results == {item: item * item for item in range(20)}


def test_killed_scheduler_ends_the_build_with_a_sentence(tmp_path: Path) -> None:
    def kill() -> None:
        wait_until(lambda: list(tmp_path.glob("go.*")), lambda: True)
        found.scheduler.kill()

    with cluster(tmp_path) as found:
        workers = found.workers
        with completed(workers, wait_for, [tmp_path / "go"] * 9) as done:
            threading.Thread(target=kill).start()
            with pytest.raises(ClusterLostError, match="went away"):
                list(done)
        workers.close()


@pytest.mark.parametrize(
    ("where", "said"),
    [("none.json", "none.json: no such scheduler file"), ("tcp://127.0.0.1:9", "no scheduler answers")],
)
def test_cluster_that_is_not_there_is_bad_configuration(where: str, said: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    take(place.rollouts / "exp/kimi", "a_t0")
    with dask.config.set({"distributed.comm.timeouts.connect": "100ms"}):
        done = build(place, "--workers", f"dask:{where}")
    assert done.exit_code == 2
    assert said in done.stderr and len(done.stderr.splitlines()) <= 3
