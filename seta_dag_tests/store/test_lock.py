"""The build lock: waiting, reentrance, cleanup, and output directories that cannot be locked."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError
from seta_dag.store.lock import is_locked, locked


def must_not_wait() -> None:
    raise AssertionError("waited although nobody holds the lock")


@contextmanager
def held_by_another(out: Path) -> Iterator[Callable[[], None]]:
    """Hold the lock as another process would, and yield a function that releases it.

    flock locks belong to the open file, so a second open in this process conflicts too.
    """
    out.mkdir(exist_ok=True)
    with (out / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(file, fcntl.LOCK_UN)


def test_locking_creates_the_directory_and_is_released_afterwards(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    with locked(out, must_not_wait):
        assert out.is_dir()
    with held_by_another(out):
        assert is_locked(out)
    assert not is_locked(out)


def test_the_lock_is_reentrant_under_any_path_of_the_directory(tmp_path: Path) -> None:
    out, link = tmp_path / "out", tmp_path / "link"
    link.symlink_to(out)
    with locked(out, must_not_wait), locked(link, must_not_wait), locked(out, must_not_wait):
        assert not is_locked(out) and not is_locked(link)


def test_a_missing_directory_is_not_locked_and_not_created(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_second_build_reports_once_that_it_waits(tmp_path: Path) -> None:
    out, calls = tmp_path / "out", []
    with held_by_another(out) as release:
        timer = threading.Timer(0.1, release)

        def waiting() -> None:
            calls.append("waiting")
            timer.start()

        with locked(out, waiting):
            assert calls == ["waiting"]


def test_an_error_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path, must_not_wait):
        raise KeyError
    with locked(tmp_path, must_not_wait):
        pass


def test_leftovers_are_removed_on_the_outermost_lock_only(tmp_path: Path) -> None:
    leftover, mine = tmp_path / "stages" / ".0.part", tmp_path / "stages" / ".mine.part"
    leftover.parent.mkdir()
    leftover.write_text("half")
    with locked(tmp_path, must_not_wait):
        assert not leftover.exists()
        mine.write_text("being written")
        with locked(tmp_path, must_not_wait):
            assert mine.exists()


UNLOCKABLE: dict[str, Callable[[Path], object]] = {
    "out is a file": lambda out: out.write_text(""),
    "the lock file is a directory": lambda out: (out / ".lock").mkdir(parents=True),
    "out is a dangling link": lambda out: out.symlink_to("nowhere/at/all"),
}


@pytest.mark.parametrize("case", UNLOCKABLE)
def test_an_output_directory_that_cannot_be_locked_is_a_config_error(case: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    UNLOCKABLE[case](out)
    with pytest.raises(ConfigError, match=r"out.*: cannot be written \(.*\); give another output"):
        locked(out, must_not_wait).__enter__()


def test_an_output_directory_below_a_file_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be written"):
        locked(tmp_path / "file" / "out", must_not_wait).__enter__()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, where nothing can be created")
def test_an_output_directory_that_cannot_be_created_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"cannot be written"):
        locked(Path("/proc/seta"), must_not_wait).__enter__()
