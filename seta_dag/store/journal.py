"""One file a stage that says what was built of each task: a line is added when one is done, the last counts.

Each line carries its own sum. One that a kill cut short, or that was damaged later, is as if not there, so
its task is built again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from xxhash import xxh3_64_hexdigest

from seta_dag.store.atomic import write_bytes, written_at

_SUM = 16  # hex digits


class Entry(NamedTuple):
    """What is kept per task: JSON on one line, and the checksum of its file, `-` without one."""

    checksum: str
    record: bytes


@contextmanager
def appending(path: Path) -> Iterator[Callable[[str, Entry], None]]:
    """Yields what adds the entry of a name, at once and whole. Names hold no white space.

    Raises `OutputError` where there can't be such a file, and where a line can't be added to it.
    """
    with written_at(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def append(name: str, entry: Entry) -> None:
        with written_at(path):  # a line that a kill cut short must not reach into this one
            _write(descriptor, b"\n" + _line(name, entry))

    try:
        yield append
    finally:
        os.close(descriptor)


def read(path: Path) -> dict[str, Entry]:
    """The last entry of each name; nothing where there is no such file."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return {}
    return dict(entry for line in lines if line and (entry := _entry(line)) is not None)


def rewrite(path: Path, entries: Mapping[str, Entry]) -> None:
    """Puts a journal of exactly these entries in the place of what is there, unless it is that already."""
    data = b"\n".join(_line(name, entries[name]) for name in sorted(entries))
    if not path.is_file() or path.read_bytes() != data:
        write_bytes(path, data)


def _line(name: str, entry: Entry) -> bytes:
    said = b"%s %s %s" % (name.encode(), entry.checksum.encode(), entry.record)
    return b"%s %s" % (xxh3_64_hexdigest(said).encode(), said)


def _entry(line: bytes) -> tuple[str, Entry] | None:
    said = line[_SUM + 1 :]
    parts = said.split(b" ", 2)
    if len(parts) != 3 or xxh3_64_hexdigest(said).encode() != line[:_SUM]:
        return None
    name, checksum, record = parts
    return name.decode(), Entry(checksum.decode(), record)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
