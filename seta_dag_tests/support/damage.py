"""Damage to a file or to a journal line, as a failing disk, a full disk or an edit by hand causes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
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


def _change_line(journal: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change every journal line whose name starts with `name`; there must be at least one."""
    lines = journal.read_bytes().split(b"\n")
    # Lines are `checksum name ...`; the empty line before the first entry has no name.
    matches = [line.split(b" ")[1:2] and line.split(b" ")[1].startswith(name.encode()) for line in lines]
    assert any(matches)
    changed = [change(line) if match else line for line, match in zip(lines, matches, strict=True)]
    journal.write_bytes(b"\n".join(changed))


def _flip_middle(line: bytes) -> bytes:
    return line[: len(line) // 2] + bytes([line[len(line) // 2] ^ 1]) + line[len(line) // 2 + 1 :]


_LINES: dict[str, Callable[[bytes], bytes]] = {
    "a flipped bit": _flip_middle,
    "a flipped bit of its sum": lambda line: bytes([line[0] ^ 1]) + line[1:],
    "cut": lambda line: line[:-7],
    "cut before its record": lambda line: b" ".join(line.split(b" ")[:2]),
    "longer": lambda line: line + b" ",
    "empty": lambda line: b"",
    "in two": lambda line: line[: len(line) // 2] + b"\n" + line[len(line) // 2 :],
    "another line": lambda line: b'{"a": 1}',
    "zero bytes": lambda line: bytes(len(line)),
    "no text": lambda line: b"\xff" * 17,
}
LINES: dict[str, Callable[[Path, str], None]] = {
    case: partial(_change_line, change=change) for case, change in _LINES.items()
}
"""Damage that makes the lines of one name unreadable and leaves all others as they were."""
