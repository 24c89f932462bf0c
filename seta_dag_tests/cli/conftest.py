"""Fixtures of the command-line tests: a Dagster instance of their own, and three built tasks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seta_dag_tests.support.builds import Place, open_instance, take
from seta_dag_tests.support.command_line import TASKS, build, summary


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    with open_instance(home):
        return home


@pytest.fixture(autouse=True)
def _no_settings(_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests, and use an instance of our own."""
    for name in [name for name in os.environ if name.startswith("SETA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", str(_home))


@pytest.fixture(scope="session")
def _built(_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("cli"))
    take(place.rollouts / "exp/kimi", *(f"{task}_t0" for task in TASKS))
    # Function-scoped fixtures, such as `_no_settings`, may not have run yet.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(_home))
        done = build(place)
    assert done.exit_code == 0, done.output
    assert summary(done)["tasks_rebuilt"] == len(TASKS)
    return place


@pytest.fixture
def place(_built: Place, tmp_path: Path) -> Place:
    """A copy of three built tasks."""
    return _built.copy(tmp_path / "place")
