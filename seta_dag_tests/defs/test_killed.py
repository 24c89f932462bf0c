"""A build that is killed at any moment: the next one ends with the bytes of a build that was not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.task_table import read_task
from seta_dag.lock import is_locked
from seta_dag.out import Out
from seta_dag_tests.support.builds import Place, built_plainly, open_instance, take
from seta_dag_tests.support.processes import SETA_DAG, ended, environment, started, wait_until

MOMENTS: dict[str, Callable[[Out], object]] = {
    "some trials are collected": lambda out: len(out.built("trials")) >= 3,
    "some tasks are tokenized": lambda out: len(out.built("tokens")) >= 3,
    "the ledger stands": lambda out: out.ledger.exists(),
    "one dataset stands": lambda out: out.dataset("nothink").exists(),
}


@pytest.fixture(scope="module")
def rollouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some twenty tasks, so that there is a middle to be killed in."""
    place = Place(tmp_path_factory.mktemp("many"))
    take(place.rollouts / "exp/kimi", "stack_overflow__1", "out_", "ctrf_", "multi_traj")
    return place.rollouts


@pytest.fixture(scope="module")
def expected(rollouts: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What a build that nothing happens to makes of them."""
    return built_plainly(Place(rollouts.parent), tmp_path_factory.mktemp("whole"))


def place_over(rollouts: Path, folder: Path) -> Place:
    """An output directory of its own over the same rollouts."""
    place = Place(folder / "place")
    place.folder.mkdir()
    place.rollouts.symlink_to(rollouts)
    return place


def read_every_file(out: Out) -> None:
    """Reads all that is visible: half a file could not be."""
    readers = {
        ".json": lambda path: orjson.loads(path.read_bytes()),
        ".arrow": read_task,
        ".md": Path.read_text,
    }
    for path in out.root.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            readers.get(path.suffix, pq.read_table)(path)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_build_finishes_what_a_killed_one_began(
    moment: str, rollouts: Path, expected: Place, home: Path, tmp_path: Path
) -> None:
    place = place_over(rollouts, tmp_path)
    with ended(started([SETA_DAG, "build"], environment(place, home), tmp_path)) as process:
        assert wait_until(lambda: MOMENTS[moment](place.out), process)
    assert process.returncode == -9 and not is_locked(place.out.root)
    read_every_file(place.out)
    kept = place.stage_files()
    with open_instance(home) as instance:
        outcome = place.build(instance)
    assert not outcome.failures
    assert place.visible() == expected.visible()
    assert set(place.stage_files()) == set(expected.stage_files())
    assert kept.items() <= place.stage_files().items()
    assert outcome.rebuilt == len(place.tasks()) - len([name for name in kept if name.startswith("tokens/")])
    assert not [path for path in place.out.root.rglob("*") if path.suffix in (".part", ".new", ".old")]


def test_what_a_killed_build_left_half_written_is_cleared_away(place: Place, home: Path) -> None:
    visible = place.visible()
    folders = [place.out.root, *(path for path in place.out.root.rglob("*") if path.is_dir())]
    for folder in folders:
        (folder / ".0123456789abcdef.part").write_bytes(b"half")
    with open_instance(home) as instance:
        assert not place.build(instance).failures
    assert place.visible() == visible
