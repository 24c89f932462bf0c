"""Writing so that nothing half-done is ever visible: files are written aside and renamed."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from seta_dag.errors import OutputError
from seta_dag.store.layout import FORMAT_VERSION

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yields a path beside `path` to write to, and renames it into place when the block ends well.

    Raises `OutputError` where there can't be such a file.
    """
    with written_at(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.parent / f".{uuid.uuid4().hex}.part"
    try:
        yield aside
        with written_at(path):
            aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


@contextmanager
def written_at(path: Path) -> Iterator[None]:
    """Raises `OutputError` for what the system refuses to do at `path` meanwhile."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: can't be written ({error.strerror or error}); "
            "move away what is in its way, or write somewhere else"
        ) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path` in one visible step. Raises `OutputError`."""
    with written_aside(path) as aside, written_at(path):
        aside.write_bytes(data)


def write_memo(path: Path, value: Any) -> None:
    """Writes what only spares work the next time, with a sum over it. Raises `OutputError`."""
    write_bytes(path, _sealed(orjson.dumps(value)))


def read_memo(path: Path) -> Any:
    """What `write_memo` wrote there; None where there is nothing, or not exactly that.

    A memo of another version of seta_dag is none: its form may be another.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return None
    kept = data[len(_sealed(b"")) - 1 : -1]
    return orjson.loads(kept) if data == _sealed(kept) else None


def _sealed(kept: bytes) -> bytes:
    digest = hashlib.blake2b(kept, digest_size=16, key=FORMAT_VERSION.encode()).hexdigest()
    return b'{"sum":"%s","kept":%s}' % (digest.encode(), kept)


def mark(path: Path) -> str:
    """Size and time of a file: while they are the same, it was not written to."""
    return _mark(path.stat())


def marks(folder: Path) -> dict[str, str]:
    """The mark of every file in a folder, by name; nothing where there is no such folder."""
    if not folder.is_dir():
        return {}
    return {entry.name: _mark(entry.stat()) for entry in os.scandir(folder) if entry.is_file()}


def _mark(stat: os.stat_result) -> str:
    return f"{stat.st_size} {stat.st_mtime_ns}"


def remove(path: Path) -> None:
    """Removes whatever stands at `path`, a link without what it leads to. Raises `OutputError`."""
    with written_at(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def replace_directory(new: Path, target: Path) -> None:
    """Puts the directory `new` in the place of `target`, and removes what stood there, also a file or link.

    One system call where the kernel can exchange two names (Linux); elsewhere two renames.
    Raises `OutputError`.
    """
    with written_at(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(target):
            new.rename(target)
            return
        if not _exchange(new, target):
            old = new.with_name(f"{new.name}.old")
            remove(old)
            target.rename(old)
            new.rename(target)
            new = old
        remove(new)


def _exchange(a: Path, b: Path) -> bool:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    return bool(renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0)
