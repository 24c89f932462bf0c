"""The journal of a stage: one line per task that is built, appended as soon as the task is done.

The last line of a task counts. Each line has its own checksum: one that a kill cut short, or that was damaged
later, counts as missing, so its task is built again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from xxhash import xxh3_64_hexdigest

from seta_dag.store.atomic import write_bytes, written_at

_DIGITS = 16  # of a line's checksum


class Entry(NamedTuple):
    """What is kept per task: JSON on one line, and the checksum of its file, `-` without one."""

    checksum: str
    record: bytes


@contextmanager
def appending(path: Path) -> Iterator[Callable[[str, Entry], None]]:
    """Yield a function `append(name, entry)` that adds a complete line at once.

    Names contain no white space. Raises `OutputError` if the file cannot be opened or a line not written.
    """
    with written_at(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # O_APPEND: processes that append at the same time do not overwrite each other's lines.
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def append(name: str, entry: Entry) -> None:
        with written_at(path):  # begins with the line break: the line before may have been cut short
            _write(descriptor, b"\n" + _line(name, entry))

    try:
        yield append
    finally:
        os.close(descriptor)


def read(path: Path) -> dict[str, Entry]:
    """Return the last intact entry of each name; empty if there is no journal."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return {}
    return dict(entry for line in lines if line and (entry := _entry(line)) is not None)


def rewrite(path: Path, entries: Mapping[str, Entry]) -> None:
    """Replace the journal by one with exactly these entries, unless it has them already."""
    data = b"\n".join(_line(name, entries[name]) for name in sorted(entries))
    # Sorted by name: the order in which tasks were built makes no difference.
    if not path.is_file() or path.read_bytes() != data:
        write_bytes(path, data)


def _line(name: str, entry: Entry) -> bytes:
    body = b"%s %s %s" % (name.encode(), entry.checksum.encode(), entry.record)
    return b"%s %s" % (xxh3_64_hexdigest(body).encode(), body)


def _entry(line: bytes) -> tuple[str, Entry] | None:
    body = line[_DIGITS + 1 :]
    parts = body.split(b" ", 2)
    if len(parts) != 3 or xxh3_64_hexdigest(body).encode() != line[:_DIGITS]:
        return None
    name, checksum, record = parts
    return name.decode(), Entry(checksum.decode(), record)


def _write(descriptor: int, data: bytes) -> None:
    while data:  # os.write may write only a part, for example of a long record
        data = data[os.write(descriptor, data) :]
