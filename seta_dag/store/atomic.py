"""Write files and directories so that nothing half-done is ever visible: aside, then renamed."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeGuard

from seta_dag.errors import FullDiskError, OutputError

# Constants of Linux for renameat2, from fcntl.h and stdio.h.
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a path in the same folder to write to, and rename it to `path` when the block succeeds.

    Raises:
        OutputError: the file cannot be created or renamed.
        FullDiskError: there is no space left, also if the block itself noticed.
    """
    with written_at(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.parent / f".{uuid.uuid4().hex}.part"  # the lock's holder removes those of killed builds
    try:
        yield aside
        with written_at(path):
            aside.replace(path)
    except BaseException as error:  # Ctrl-C too must not leave a partial file
        aside.unlink(missing_ok=True)
        if is_full(error) and not isinstance(error, OutputError):
            raise _output_error(path, error) from error
        raise


def is_full(error: BaseException) -> TypeGuard[OSError]:
    """Return whether an error says that a disk or a quota is full, in the system's words or in ours."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or isinstance(error, FullDiskError)


def _output_error(path: Path, error: OSError) -> OutputError:
    if is_full(error):
        reason = os.strerror(error.errno or 0)  # Arrow's own message repeats the number
        return FullDiskError(f"{path}: cannot be written ({reason}); free some space, and run this again")
    return OutputError(
        f"{path}: cannot be written ({error.strerror or error}); "
        "move away what is in its way, or write somewhere else"
    )


@contextmanager
def written_at(path: Path) -> Iterator[None]:
    """Raise `OutputError` for any `OSError` of the block, with the path and what to do."""
    try:
        yield
    except OSError as error:
        raise _output_error(path, error) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` in one visible step. Raises `OutputError`."""
    with written_aside(path) as aside, written_at(path):
        aside.write_bytes(data)


def mark(path: Path) -> str:
    """Return size and modification time of a file; as long as they are equal, it counts as unchanged."""
    return _mark(path.stat())


def marks(folder: Path) -> dict[str, str]:
    """Return the mark of every file in a folder, by name; empty if there is no such folder."""
    if not folder.is_dir():
        return {}
    return {entry.name: _mark(entry.stat()) for entry in os.scandir(folder) if entry.is_file()}


def _mark(stat: os.stat_result) -> str:
    return f"{stat.st_size} {stat.st_mtime_ns}"


def remove(path: Path) -> None:
    """Remove whatever is at `path`; of a link, only the link. Raises `OutputError`."""
    with written_at(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def replace_directory(new: Path, target: Path) -> None:
    """Put the directory `new` in the place of `target`, and remove what was there, even a file or a link.

    One system call where the kernel can exchange two names (Linux), two renames elsewhere. Raises
    `OutputError`.
    """
    with written_at(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(target):  # a dangling link exists here, and would be in the way
            new.rename(target)
            return
        if not _exchange(new, target):
            old = new.with_name(f"{new.name}.old")
            remove(old)  # left by a build that was killed between the two renames
            target.rename(old)
            new.rename(target)
            new = old
        remove(new)  # now holds what was at `target`


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two names atomically. Returns False where the C library or the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    return bool(renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0)
