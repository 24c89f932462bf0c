"""Fixtures of the command-line tests: an instance of their own, and three tasks that are built once."""

from __future__ import annotations

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
def _alone(_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests, and an instance of their own."""
    for name in ("SETA_ROLLOUTS", "SETA_OUT", "SETA_STUDENT", "SETA_CARD", "SETA_HUB_REPO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DAGSTER_HOME", str(_home))


@pytest.fixture(scope="module")
def _built(_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("cli"))
    take(place.rollouts / "exp/kimi", *(f"{task}_t0" for task in TASKS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(_home))
        done = build(place)
    assert done.exit_code == 0, done.output
    assert summary(done)["tasks_rebuilt"] == len(TASKS)
    return place


@pytest.fixture
def place(_built: Place, tmp_path: Path) -> Place:
    """A copy of three tasks, built."""
    return _built.copy(tmp_path / "place")
