"""One build at a time: who waits, who does not, and where no lock can be had."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError
from seta_dag.store.lock import is_locked, locked


def never() -> None:
    raise AssertionError("nobody holds the lock")


@contextmanager
def held_by_another(out: Path) -> Iterator[Callable[[], None]]:
    """A lock on a file that was opened elsewhere is as good as another process's; gives what ends it."""
    out.mkdir(exist_ok=True)
    with (out / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(file, fcntl.LOCK_UN)


def test_a_lock_makes_its_directory_and_is_given_back(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    with locked(out, never):
        assert out.is_dir()
    with held_by_another(out):
        assert is_locked(out)
    assert not is_locked(out)


def test_this_process_enters_again_by_any_name_of_the_directory(tmp_path: Path) -> None:
    out, link = tmp_path / "out", tmp_path / "link"
    link.symlink_to(out)
    with locked(out, never), locked(link, never), locked(out, never):
        assert not is_locked(out) and not is_locked(link)


def test_nothing_is_locked_where_nothing_is(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_second_build_says_so_once_and_waits(tmp_path: Path) -> None:
    out, said = tmp_path / "out", []
    with held_by_another(out) as let_go:
        timer = threading.Timer(0.1, let_go)

        def waiting() -> None:
            said.append("waiting")
            timer.start()

        with locked(out, waiting):
            assert said == ["waiting"]


def test_an_error_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path, never):
        raise KeyError
    with locked(tmp_path, never):
        pass


def test_only_whoever_holds_the_lock_clears_what_was_left_unfinished(tmp_path: Path) -> None:
    left, mine = tmp_path / "stages" / ".0.part", tmp_path / "stages" / ".mine.part"
    left.parent.mkdir()
    left.write_text("half")
    with locked(tmp_path, never):
        assert not left.exists()
        mine.write_text("being written")
        with locked(tmp_path, never):
            assert mine.exists()


NO_LOCK: dict[str, Callable[[Path], object]] = {
    "out is a file": lambda out: out.write_text(""),
    "the lock is a directory": lambda out: (out / ".lock").mkdir(parents=True),
    "out is a link to nothing": lambda out: out.symlink_to("nowhere/at/all"),
}


@pytest.mark.parametrize("case", NO_LOCK)
def test_where_no_lock_can_be_had_is_bad_configuration(case: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    NO_LOCK[case](out)
    with pytest.raises(ConfigError, match=r"out.*: can't be written \(.*\); give another output"):
        locked(out, never).__enter__()


@pytest.mark.parametrize("place", ["/proc/seta", "/dev/null/out"])
def test_out_where_nothing_can_be_is_bad_configuration(place: str) -> None:
    with pytest.raises(ConfigError, match=r"can't be written"):
        locked(Path(place), never).__enter__()
