"""Atomic writes and directory replacement; a path that cannot be written is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.errors import FullDiskError, OutputError, SetaError
from seta_dag.store import atomic
from seta_dag.store.atomic import (
    remove,
    replace_directory,
    write_bytes,
    written_aside,
)


def test_a_file_appears_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with written_aside(path) as aside:
        aside.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_write_keeps_the_old_file_and_leaves_no_temporary(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error), written_aside(path) as aside:
        aside.write_text("half")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_reported_with_the_file_that_was_being_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    full = pytest.raises(FullDiskError, match=f"^{path}: .*No space left on device.*free some space")
    with full, written_aside(path):
        Path("/dev/full").write_bytes(b"x")
    assert not list(tmp_path.iterdir())


UNWRITABLE: dict[str, Callable[[Path], Path]] = {
    "a directory": lambda root: root / "directory",
    "below a file": lambda root: root / "file" / "x",
    "below a dangling link": lambda root: root / "dangling" / "x",
    "in a file system that takes no files": lambda root: Path("/proc/seta/x"),
    "a name that is too long": lambda root: root / ("x" * 300) / "x",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "directory" / "child").mkdir(parents=True)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    return tmp_path


@pytest.mark.parametrize("case", UNWRITABLE)
def test_an_unwritable_path_is_reported_in_one_sentence(case: str, root: Path) -> None:
    path = UNWRITABLE[case](root)
    with pytest.raises(OutputError, match=r"cannot be written \([A-Z].*\); move away") as raised:
        write_bytes(path, b"x")
    assert str(path.parent) in str(raised.value) and isinstance(raised.value, SetaError | OSError)
    assert (root / "file").read_text() == "mine" and not list(root.rglob(".*.part"))


EXISTING: dict[str, Callable[[Path], object]] = {
    "nothing": lambda target: None,
    "a directory": lambda target: (target / "old").mkdir(parents=True),
    "a file": lambda target: target.write_text("old"),
    "a link to a directory": lambda target: target.symlink_to(target.parent / "elsewhere"),
    "a link to a file": lambda target: target.symlink_to(target.parent / "elsewhere" / "kept"),
    "a link to nothing": lambda target: target.symlink_to(target.parent / "nowhere"),
}


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """New directory to put in place; `elsewhere` beside it is the target of links."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("kept")
    (tmp_path / "stages" / "new").mkdir(parents=True)
    (tmp_path / "stages" / "new" / "file").write_text("new")
    return tmp_path / "stages" / "new"


@pytest.mark.parametrize("can_exchange", [True, False], ids=["atomic exchange", "two renames"])
@pytest.mark.parametrize("existing", EXISTING)
def test_a_directory_replaces_whatever_was_there(
    existing: str, can_exchange: bool, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_exchange:  # as on a kernel without RENAME_EXCHANGE
        monkeypatch.setattr(atomic, "_exchange", lambda a, b: False)
    target = tmp_path / "thinking"
    EXISTING[existing](target)
    replace_directory(new, target)
    assert [path.name for path in target.iterdir()] == ["file"] and not target.is_symlink()
    assert not list((tmp_path / "stages").iterdir())
    assert (tmp_path / "elsewhere" / "kept").read_text() == "kept"


@pytest.mark.parametrize("existing", EXISTING)
def test_removing_a_link_keeps_its_target(existing: str, new: Path, tmp_path: Path) -> None:
    target = tmp_path / "thinking"
    EXISTING[existing](target)
    remove(target)
    assert not target.exists() and not target.is_symlink()
    assert (tmp_path / "elsewhere" / "kept").read_text() == "kept"
