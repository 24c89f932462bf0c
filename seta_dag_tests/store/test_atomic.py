"""Nothing half-done is ever visible, and what can't be written is said in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.errors import OutputError, SetaError
from seta_dag.store import atomic
from seta_dag.store.atomic import (
    read_memo,
    remove,
    replace_directory,
    write_bytes,
    write_memo,
    written_aside,
)
from seta_dag_tests.support.damage import FOLDER, SEEN


def test_a_file_is_seen_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with written_aside(path) as aside:
        aside.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_fails_leaves_the_old_file_and_nothing_beside_it(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error), written_aside(path) as aside:
        aside.write_text("half")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


IN_THE_WAY: dict[str, Callable[[Path], Path]] = {
    "a directory": lambda root: root / "directory",
    "below a file": lambda root: root / "file" / "x",
    "below a link that leads nowhere": lambda root: root / "dangling" / "x",
    "where nothing can be": lambda root: Path("/proc/seta/x"),
    "a name that is too long": lambda root: root / ("x" * 300) / "x",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "directory" / "in it").mkdir(parents=True)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    return tmp_path


@pytest.mark.parametrize("write", [write_memo, lambda path, value: write_bytes(path, b"x")])
@pytest.mark.parametrize("case", IN_THE_WAY)
def test_what_can_not_be_written_is_one_sentence(
    case: str, write: Callable[[Path, object], None], root: Path
) -> None:
    path = IN_THE_WAY[case](root)
    with pytest.raises(OutputError, match=r"can't be written \([A-Z].*\); move away") as raised:
        write(path, [1])
    assert str(path.parent) in str(raised.value) and isinstance(raised.value, SetaError | OSError)
    assert (root / "file").read_text() == "mine" and not list(root.rglob(".*.part"))


MEMO = {"a": [1, 2.5, None, "é"], "b": {"c": []}}


def test_a_memo_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_memo(tmp_path / "memo.json", MEMO)
    assert read_memo(tmp_path / "memo.json") == MEMO


@pytest.mark.parametrize("damage", [*SEEN.values(), FOLDER], ids=[*SEEN, "folder"])
def test_a_damaged_memo_is_none(damage: Callable[[Path], object], tmp_path: Path) -> None:
    write_memo(tmp_path / "memo.json", MEMO)
    damage(tmp_path / "memo.json")
    assert read_memo(tmp_path / "memo.json") is None


@given(data=st.data())
def test_no_byte_of_a_memo_can_change_unseen(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "memo.json"
        write_memo(path, MEMO)
        whole = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(whole)
        assert read_memo(path) is None


def test_a_memo_of_another_version_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_memo(tmp_path / "memo.json", MEMO)
    monkeypatch.setattr(atomic, "FORMAT_VERSION", "0")
    assert read_memo(tmp_path / "memo.json") is None


STOOD: dict[str, Callable[[Path], object]] = {
    "nothing": lambda target: None,
    "a directory": lambda target: (target / "old").mkdir(parents=True),
    "a file": lambda target: target.write_text("old"),
    "a link to a directory": lambda target: target.symlink_to(target.parent / "elsewhere"),
    "a link to a file": lambda target: target.symlink_to(target.parent / "elsewhere" / "kept"),
    "a link to nothing": lambda target: target.symlink_to(target.parent / "nowhere"),
}


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A directory to be put in place, and one that links lead to."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("kept")
    (tmp_path / "stages" / "new").mkdir(parents=True)
    (tmp_path / "stages" / "new" / "file").write_text("new")
    return tmp_path / "stages" / "new"


@pytest.mark.parametrize("can_exchange", [True, False], ids=["exchanged", "renamed twice"])
@pytest.mark.parametrize("stood", STOOD)
def test_a_directory_takes_the_place_of_whatever_stood_there(
    stood: str, can_exchange: bool, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_exchange:  # as on a kernel without it
        monkeypatch.setattr(atomic, "_exchange", lambda a, b: False)
    target = tmp_path / "thinking"
    STOOD[stood](target)
    replace_directory(new, target)
    assert [path.name for path in target.iterdir()] == ["file"] and not target.is_symlink()
    assert not list((tmp_path / "stages").iterdir())
    assert (tmp_path / "elsewhere" / "kept").read_text() == "kept"


@pytest.mark.parametrize("stood", STOOD)
def test_what_is_removed_is_gone_and_what_it_led_to_stays(stood: str, new: Path, tmp_path: Path) -> None:
    target = tmp_path / "thinking"
    STOOD[stood](target)
    remove(target)
    assert not target.exists() and not target.is_symlink()
    assert (tmp_path / "elsewhere" / "kept").read_text() == "kept"
