"""Damage to a file, as a failing disk, a full disk or an edit by hand causes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _flip_unseen(path: Path) -> None:
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    _flip(path)
    os.utime(path, ns=times)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SEEN: dict[str, Callable[[Path], object]] = {
    "a flipped bit": _flip,
    "cut": _truncate,
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "empty": lambda path: path.write_bytes(b""),
    "another file": lambda path: path.write_bytes(b'{"a": 1}'),
    "a list": lambda path: path.write_bytes(b"[1, 2]"),
    "gone": Path.unlink,
}
"""Damage that changes the size or time of a file, or removes it, by description."""

FLIPPED_UNSEEN = _flip_unseen
"""Flip one bit and leave size and time unchanged, as a failing disk does."""

FOLDER = _make_folder
"""Replace the file by a directory."""
