"""An instance that cannot be used is reported in one sentence, with the file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.defs.instance.open import open_instance
from seta_dag.errors import InstanceError
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.damage import FOLDER

FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


def _halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _overwrite_pages(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "random bytes": lambda path: path.write_bytes(os.urandom(20_000)),
    "text": lambda path: path.write_text("hello\n"),
    "half of it": _halve,
    "pages overwritten": _overwrite_pages,
    "a folder": FOLDER,
}


@pytest.fixture
def out(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OutputLayout:
    """An output directory with the record of runs in it, and nothing else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    out = OutputLayout(tmp_path / "out")
    with open_instance(out):
        return out


@pytest.mark.parametrize(
    ("name", "damage"),
    [(FILES[1], damage) for damage in DAMAGE] + [(name, "half of it") for name in FILES[::2]],
)
def test_a_damaged_database_is_named(name: str, damage: str, out: OutputLayout) -> None:
    path = out.instance / name
    DAMAGE[damage](path)
    sentence = (
        rf"^{path}: Dagster's record of runs cannot be used \(.+\); move it away.* Datasets are not touched"
    )
    with pytest.raises(InstanceError, match=sentence) as raised, open_instance(out) as instance:
        instance.schedule_storage and instance.schedule_storage.all_instigator_state()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", FILES)
def test_moving_the_file_away_begins_a_new_one(name: str, out: OutputLayout) -> None:
    (out.instance / name).write_text("damaged")
    (out.instance / name).rename(out.root / "away")
    with open_instance(out) as instance:
        assert instance.get_runs() == []


def test_damage_that_shows_only_in_use_is_named_too(out: OutputLayout) -> None:
    index = out.instance / "history/runs/index.db"
    with pytest.raises(InstanceError, match=f"^{index}: "), open_instance(out) as instance:
        shutil.copyfile(__file__, index)
        for log in index.parent.glob("index.db-*"):
            log.unlink()
        instance.event_log_storage.dispose()
        instance.add_dynamic_partitions("task", ["a"])


def test_a_folder_in_the_way_is_one_sentence(out: OutputLayout) -> None:
    shutil.rmtree(out.instance / "history")
    (out.instance / "history").write_text("")
    with pytest.raises(InstanceError, match=r"cannot be used \(.*File exists.*\)"), open_instance(out):
        pass
