"""Dagster instances, and places that are built once for many tests."""

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
    """A fresh instance in memory, for tests that only examine the output directory."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="session")
def _new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The databases of a new instance: creating them takes seconds, copying them almost nothing."""
    home = tmp_path_factory.mktemp("new") / "home"
    with open_instance(home) as instance:
        assert not instance.get_runs()
    return home


@pytest.fixture
def home(_new_home: Path, tmp_path: Path) -> Path:
    """The DAGSTER_HOME of a fresh instance on SQLite."""
    copy = shutil.copytree(_new_home, tmp_path / "home")
    write_settings(copy)
    return copy


@pytest.fixture
def on_disk(home: Path) -> Iterator[dg.DagsterInstance]:
    """A fresh instance on SQLite, with the repository's event log."""
    with open_instance(home) as instance:
        yield instance


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Five tasks in two runs, built; tests work on a copy.

    The chain begins with a `_resume`, so a test can still add a run before it. One task has no report yet,
    the last log of another is truncated, and one rollout failed before it created a trial.
    """
    place = Place(tmp_path_factory.mktemp("built"))
    first, second = (place.rollouts / "exp" / name for name in ("kimi_resume", "kimi_resume_2"))
    take(first, "a_t0", "resume_twice_0", "multi_traj_task_t0", "multi_traj_task_t1", "stack_overflow__100")
    take(second, "verifier_timeout", source=RUNS[1])
    last = max(trial(place.rollouts, "stack_overflow__100").rglob("conv_*.json"))
    last.write_bytes(last.read_bytes()[:500])
    (first / "failed").mkdir()
    (first / "failed" / "never_built.txt").write_text("Traceback\nOSError: no space left on device\n")
    (first / "config.yaml").write_bytes((RUNS[0] / "config.yaml").read_bytes())
    with dg.DagsterInstance.ephemeral() as instance:
        assert not place.build(instance).failures
    return place


@pytest.fixture
def place(built: Place, tmp_path: Path) -> Place:
    """A copy of the five built tasks."""
    return built.copy(tmp_path / "place")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The golden archive, built."""
    place = Place(tmp_path_factory.mktemp("archive"))
    with tarfile.open(REPOSITORY / "seta_dag_tests/golden/rollouts.tar.gz") as tar:
        tar.extractall(place.folder, filter="data")
    with open_instance(place.folder / "home") as instance:
        assert not place.build(instance).failures
    return place
