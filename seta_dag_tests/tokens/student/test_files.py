"""Where files that are derived from a tokenizer are kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from seta_dag.tokens.student.files import cache_folder
from seta_dag.tokens.student.student import QWEN3_TOKENIZER_SHA256
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
    assert cache_folder("a" * 64) == tmp_path / "home" / ".cache" / "seta_dag" / ("a" * 16)


def test_a_home_that_cannot_be_written_gives_a_temporary_folder(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with closed(home, 0o500):
        path = cache_folder(QWEN3_TOKENIZER_SHA256)
        assert path == cache_folder(QWEN3_TOKENIZER_SHA256)
    (folder,) = temporary.iterdir()
    assert path.is_relative_to(folder) and QWEN3_TOKENIZER_SHA256[:16] in path.parts
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("home", ["file", "file/below"])
def test_a_home_that_is_no_folder_gives_a_temporary_folder(
    home: str, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / home))
    assert cache_folder("a" * 64).is_relative_to(temporary)


def test_a_temporary_folder_that_others_can_write_to_is_not_used(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    foreign = cache_folder("a" * 64).parent
    foreign.chmod(0o777)
    own = cache_folder("a" * 64).parent
    assert own != foreign and own.is_relative_to(temporary) and own.stat().st_mode & 0o777 == 0o700
