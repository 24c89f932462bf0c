"""Where files are kept that can be made again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from seta_dag.store.user_cache import user_cache
from seta_dag_tests.support.unprivileged import closed


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files; HOME decides where the cache is."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return folder


def test_the_cache_is_below_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert user_cache() == tmp_path / "home" / ".cache" / "seta_dag"


def test_a_home_that_cannot_be_written_gives_a_temporary_folder(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with closed(home, 0o500):
        path = user_cache()
        assert path == user_cache()
    (folder,) = temporary.iterdir()
    assert path == folder
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("home", ["file", "file/below"])
def test_a_home_that_is_no_folder_gives_a_temporary_folder(
    home: str, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / home))
    assert user_cache().is_relative_to(temporary)


def test_a_temporary_folder_that_others_can_write_to_is_not_used(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    foreign = user_cache()
    foreign.chmod(0o777)
    own = user_cache()
    assert own != foreign and own.is_relative_to(temporary) and own.stat().st_mode & 0o777 == 0o700
