"""Writing so that nothing half-done is ever visible: files are written aside and renamed."""

from __future__ import annotations

import ctypes
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yields a path beside `path` to write to, and renames it into place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.parent / f".{uuid.uuid4().hex}.part"
    try:
        yield aside
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path` in one visible step."""
    with written_aside(path) as aside:
        aside.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Writes dataclasses, lists and dicts as JSON to `path` in one visible step."""
    write_bytes(path, orjson.dumps(value))


def replace_directory(new: Path, target: Path) -> None:
    """Puts the directory `new` in the place of `target`, and removes what stood there.

    One system call where the kernel can exchange two names (Linux); elsewhere two renames.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        new.rename(target)
        return
    if not _exchange(new, target):
        old = new.with_name(f"{new.name}.old")
        target.rename(old)
        new.rename(target)
        new = old
    shutil.rmtree(new)


def _exchange(a: Path, b: Path) -> bool:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    return bool(renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0)
