"""Killed and concurrent builds: the final datasets are the same byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seta_dag.store.layout import OutputLayout
from seta_dag.store.lock import is_locked
from seta_dag_tests.support.builds import Place, built_plainly, take
from seta_dag_tests.support.processes import building, wait_until

MOMENTS: dict[str, Callable[[OutputLayout], object]] = {
    "the merge is written": lambda out: out.resume_chain.exists(),
    "the trials are collected": lambda out: out.table("trials").exists(),
    "the reports are parsed": lambda out: out.table("ctrf").exists(),
    "some tasks are tokenized": lambda out: (
        out.pieces.is_dir() and len(list(out.pieces.glob("*.arrow"))) >= 2
    ),
    "the ledger is written": lambda out: out.ledger.exists(),
    "one dataset is published": lambda out: out.dataset("nothink").exists(),
    "both datasets are published": lambda out: out.dataset("thinking").exists(),
    "one card is published": lambda out: (out.dataset("nothink") / "README.md").exists(),
}


@pytest.fixture(scope="module")
def rollouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About twenty tasks, enough for a build to be killed halfway."""
    place = Place(tmp_path_factory.mktemp("many"))
    take(place.rollouts / "exp/kimi", "stack_overflow__10", "ctrf_", "multi_traj_task")
    return place.rollouts


@pytest.fixture(scope="module")
def expected(rollouts: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Result of an undisturbed build of the same rollouts."""
    return built_plainly(Place(rollouts.parent), tmp_path_factory.mktemp("expected"))


@pytest.fixture
def place(rollouts: Path, tmp_path: Path) -> Place:
    """A separate output directory for the shared rollouts."""
    place = Place(tmp_path / "place")
    place.folder.mkdir()
    place.rollouts.symlink_to(rollouts)
    return place


def read_every_file(out: OutputLayout) -> None:
    """Parse every visible file; a half-written one would raise."""
    readers: dict[str, Callable[[Path], object]] = {
        ".json": lambda path: orjson.loads(path.read_bytes()),
        ".arrow": lambda path: pa.ipc.open_file(path.read_bytes()).read_all(),
        ".parquet": pq.read_table,
        ".md": Path.read_text,
    }
    for path in out.root.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            readers[path.suffix](path)


@pytest.mark.parametrize("moment", MOMENTS)
def test_next_build_completes_a_killed_one_without_redoing_its_work(
    moment: str, place: Place, expected: Place, home: Path, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with building(place, home, tmp_path / "output") as process:
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


def test_same_instance_can_build_again_after_a_kill(
    place: Place, expected: Place, home: Path, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    with building(place, home, output) as process:
        assert wait_until(lambda: MOMENTS["some tasks are tokenized"](place.out), process.is_alive)
    with building(place, home, output) as process:
        process.join()
    assert process.exitcode == 0, output.read_text()
    assert place.visible() == expected.visible()


@pytest.mark.parametrize("folder", [".", "thinking", "thinking/data", "stages", "stages/pieces"])
def test_leftover_part_files_are_removed_by_the_next_build(
    folder: str, built: Place, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    place = built.copy(tmp_path / "place")
    part_file = place.out.root / folder / ".0123456789abcdef.part"
    part_file.write_bytes(b"half")
    assert not place.build(instance).failures
    assert not part_file.exists()
    assert place.visible() == built.visible()


def test_concurrent_build_waits_and_then_rebuilds_nothing(
    place: Place, expected: Place, home: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    outputs = (first, second)
    with building(place, home, first, "--json") as one, building(place, home, second, "--json") as other:
        one.join()
        other.join()
    assert (one.exitcode, other.exitcode) == (0, 0)
    (waited,) = (output for output in outputs if "waiting for it to finish" in output.read_text())
    rebuilt = {output: json.loads(output.read_text().splitlines()[-1])["tasks_rebuilt"] for output in outputs}
    assert rebuilt[waited] == 0 and sum(rebuilt.values()) == len(place.tasks())
    assert place.visible() == expected.visible()
