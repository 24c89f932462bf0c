"""Dagster instances, and builds that many tests share."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from seta_dag_tests.support.builds import REPOSITORY, RUNS, Place, open_instance, take, trial, write_settings


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A fresh in-memory instance, for tests that only check the files in OUT."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="session")
def _new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new instance's databases: creating them takes seconds, so tests copy these."""
    home = tmp_path_factory.mktemp("new") / "home"
    with open_instance(home) as instance:
        assert not instance.get_runs()
    return home


@pytest.fixture
def home(_new_home: Path, tmp_path: Path) -> Path:
    """DAGSTER_HOME of a fresh SQLite instance."""
    copy = shutil.copytree(_new_home, tmp_path / "home")
    write_settings(copy)
    return copy


@pytest.fixture
def on_disk(home: Path) -> Iterator[dg.DagsterInstance]:
    """A fresh SQLite instance that uses this project's event log storage."""
    with open_instance(home) as instance:
        yield instance


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Build of five tasks in two runs; tests work on a copy (`place`).

    The chain starts with a `_resume`, so tests can still add an earlier run. One task has no report yet,
    the last log of another is truncated, and one rollout failed before it created a trial.
    """
    place = Place(tmp_path_factory.mktemp("built"))
    first, second = (place.rollouts / "exp" / name for name in ("kimi_resume", "kimi_resume_2"))
    take(first, "a_t0", "resume_twice_0", "multi_traj_task_t0", "multi_traj_task_t1", "stack_overflow__100")
    take(second, "verifier_timeout", source=RUNS[1])
    last_log = max(trial(place.rollouts, "stack_overflow__100").rglob("conv_*.json"))
    last_log.write_bytes(last_log.read_bytes()[:500])
    (first / "failed").mkdir()
    (first / "failed" / "never_built.txt").write_text("Traceback\nOSError: no space left on device\n")
    (first / "config.yaml").write_bytes((RUNS[0] / "config.yaml").read_bytes())
    with dg.DagsterInstance.ephemeral() as instance:
        assert not place.build(instance).failures
    return place


@pytest.fixture
def place(built: Place, tmp_path: Path) -> Place:
    """A private copy of the build of five tasks."""
    return built.copy(tmp_path / "place")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Build of every trial in the golden archive."""
    return _build_archive("rollouts", tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def dialects(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Build of every trial in the golden archive of dialects."""
    return _build_archive("dialects", tmp_path_factory.mktemp("dialects"))


def _build_archive(name: str, folder: Path) -> Place:
    """Extract a golden archive, which holds one directory named like it, and build it."""
    place = Place(folder)
    with tarfile.open(REPOSITORY / f"seta_dag_tests/golden/{name}.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    (folder / name).rename(place.rollouts)
    with open_instance(folder / "home") as instance:
        assert not place.build(instance).failures
    return place
