"""Whether stage files are intact, byte for byte: a damaged one counts as missing.

A journal entry has the checksum, size and time of its file. It is added after the file was renamed into
place, so a killed build leaves no entry without its file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from xxhash import xxh3_64

from seta_dag.store import journal
from seta_dag.store.atomic import mark, marks, remove
from seta_dag.store.journal import Entry
from seta_dag.store.layout import OutputLayout

_BLOCK = 1 << 20
NO_FILE = "-"


class ChecksummedFile(io.RawIOBase):
    """File object that checksums the bytes written through it, not what the disk returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._sum = xxh3_64()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Write all of `data` and return its length."""
        self._sum.update(data)
        # An unbuffered file may take fewer bytes than it is given.
        left = memoryview(data).cast("B")
        while left:
            left = left[self._file.write(left) :]
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()

    def checksum(self, path: Path) -> str:
        """Return the checksum of what was written, with size and time of the file at `path`."""
        return _with_mark(self._sum.hexdigest(), mark(path))


def entries(out: OutputLayout, stage: str) -> dict[str, Entry]:
    """Return the stage's journal without the entries whose file is missing or damaged.

    Only files whose size or time differ from the entry are read.
    """
    found = journal.read(out.journal(stage))
    # In a journal spaces separate the fields, so the parts of a mark are separated by a colon.
    there = {name: mark.replace(" ", ":") for name, mark in marks(out.stage(stage)).items()}

    def is_intact(name: str, entry: Entry) -> bool:
        summed, _, marked = entry.checksum.partition(":")
        # The mark first: it needs no reading. A copied file has another mark, but the same bytes.
        path = out.stage(stage) / name
        return there.get(name) == marked or (name in there and _file_checksum(path) == summed)

    # A file whose mark differs was read, so compact() may give the entry the present mark.
    return {
        name: entry for name, entry in found.items() if entry.checksum == NO_FILE or is_intact(name, entry)
    }


def compact(out: OutputLayout, stage: str, names: Iterable[str]) -> None:
    """Rewrite the stage's journal with the intact entries of `names`, each with its present size and time."""
    found, there = entries(out, stage), marks(out.stage(stage))
    now = {name: _with_present_mark(found[name], there.get(name, "")) for name in names if name in found}
    journal.rewrite(out.journal(stage), now)


def remove_damaged(out: OutputLayout, stage: str, names: Sequence[str]) -> list[str]:
    """Remove the damaged files among `names`, so that they are built again, and return their names.

    Every file is read, even if its size and time are unchanged.
    """
    noted = journal.read(out.journal(stage))
    # Threads, because reading and hashing release the GIL.
    with ThreadPoolExecutor() as pool:
        sums = list(pool.map(lambda name: _file_checksum(out.stage(stage) / name), names))
    found = [
        name
        for name, now in zip(names, sums, strict=True)
        if now is None or name not in noted or now != noted[name].checksum.partition(":")[0]
    ]
    for name in found:
        remove(out.stage(stage) / name)
    return found


def _with_mark(summed: str | None, marked: str) -> str:
    return f"{summed}:{marked.replace(' ', ':')}"


def _with_present_mark(entry: Entry, marked: str) -> Entry:
    """Return the entry with the present size and time of its file."""
    return (
        entry
        if entry.checksum == NO_FILE
        else Entry(_with_mark(entry.checksum.partition(":")[0], marked), entry.record)
    )


def _file_checksum(path: Path) -> str | None:
    """Return the checksum of a file, None if it cannot be read.

    A fast one: it must find damage, not malice, in hundreds of megabytes.
    """
    found = xxh3_64()
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError:
        return None
    return found.hexdigest()
