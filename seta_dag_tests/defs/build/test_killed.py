"""A build that is killed at any moment, or that another one runs beside: the bytes stay the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seta_dag.store import journal
from seta_dag.store.integrity import entries
from seta_dag.store.layout import OutputLayout
from seta_dag.store.lock import is_locked
from seta_dag_tests.support.builds import Place, built_plainly, take
from seta_dag_tests.support.processes import building, wait_until

MOMENTS: dict[str, Callable[[OutputLayout], object]] = {
    "some trials are collected": lambda out: len(journal.read(out.journal("trials"))) >= 3,
    "some tasks are tokenized": lambda out: len(entries(out, "tokens")) >= 3,
    "one dataset stands": lambda out: out.dataset("nothink").exists(),
    "one card stands": lambda out: (out.dataset("nothink") / "README.md").exists(),
}


@pytest.fixture(scope="module")
def rollouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some twenty tasks, so that there is a middle to be killed in."""
    place = Place(tmp_path_factory.mktemp("many"))
    take(place.rollouts / "exp/kimi", "stack_overflow__10", "ctrf_", "multi_traj_task")
    return place.rollouts


@pytest.fixture(scope="module")
def expected(rollouts: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What a build that nothing happens to makes of them."""
    return built_plainly(Place(rollouts.parent), tmp_path_factory.mktemp("whole"))


@pytest.fixture
def place(rollouts: Path, tmp_path: Path) -> Place:
    """An output directory of its own over the same rollouts."""
    place = Place(tmp_path / "place")
    place.folder.mkdir()
    place.rollouts.symlink_to(rollouts)
    return place


def read_every_file(out: OutputLayout) -> None:
    """Reads all that is visible: half a file could not be."""
    readers: dict[str, Callable[[Path], object]] = {
        ".json": lambda path: orjson.loads(path.read_bytes()),
        ".arrow": lambda path: pa.ipc.open_file(path.read_bytes()).read_all(),
        ".journal": journal.read,
        ".parquet": pq.read_table,
        ".md": Path.read_text,
    }
    for path in out.root.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            readers[path.suffix](path)


@pytest.mark.parametrize("moment", MOMENTS)
def test_next_build_finishes_a_killed_one(
    moment: str, place: Place, expected: Place, home: Path, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with building(place, home, tmp_path / "said") as process:
        assert wait_until(lambda: MOMENTS[moment](place.out), process.is_alive)
    assert process.exitcode == -9 and not is_locked(place.out.root)
    read_every_file(place.out)
    done = {name: file for name, file in place.stage_files().items() if name.startswith("tokens/")}
    outcome = place.build(instance)
    assert not outcome.failures
    assert outcome.rebuilt == len(place.tasks()) - len(done)
    assert done.items() <= place.stage_files().items()
    assert set(place.stage_files()) == set(expected.stage_files())
    assert place.visible() == expected.visible()


def test_instance_with_a_killed_run_can_build_again(
    place: Place, expected: Place, home: Path, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    with building(place, home, said) as process:
        assert wait_until(lambda: MOMENTS["some tasks are tokenized"](place.out), process.is_alive)
    with building(place, home, said) as process:
        process.join()
    assert process.exitcode == 0, said.read_text()
    assert place.visible() == expected.visible()


@pytest.mark.parametrize("folder", [".", "thinking", "thinking/data", "stages", "stages/tokens"])
def test_partial_files_of_a_killed_build_are_removed(
    folder: str, built: Place, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    place = built.copy(tmp_path / "place")
    left = place.out.root / folder / ".0123456789abcdef.part"
    left.write_bytes(b"half")
    assert not place.build(instance).failures
    assert not left.exists()
    assert place.visible() == built.visible()


def test_second_of_two_concurrent_builds_waits_and_rebuilds_nothing(
    place: Place, expected: Place, home: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with building(place, home, first, "--json") as one:
        assert wait_until(lambda: place.out.journal("trials").exists(), one.is_alive)
        with building(place, home, second, "--json") as other:
            assert wait_until(lambda: "waiting for it to end" in second.read_text(), other.is_alive)
            assert one.is_alive()
            one.join()
            other.join()
    assert (one.exitcode, other.exitcode) == (0, 0)
    ends = [json.loads(said.read_text().splitlines()[-1]) for said in (first, second)]
    assert [end["tasks_rebuilt"] for end in ends] == [len(place.tasks()), 0]
    assert place.visible() == expected.visible()
