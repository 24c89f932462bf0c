"""Whether the stage files are as they were written, byte for byte: a damaged one counts as not there.

The journal of a stage holds the checksum of each file: its sum, size and time. The entry is added after the
file has appeared, so that a build that was killed leaves no entry without its file.
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
    """A stage file that is being written, summed up as it was meant, not as the disk gives it back."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._sum = xxh3_64()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """All of `data`."""
        self._sum.update(data)
        left = memoryview(data).cast("B")
        while left:
            left = left[self._file.write(left) :]
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()

    def checksum(self, path: Path) -> str:
        """Of what was written, which now lies at `path`."""
        return _seal(self._sum.hexdigest(), mark(path))


def entries(out: OutputLayout, stage: str) -> dict[str, Entry]:
    """The stage's journal less what belongs to a file that is not as it was written.

    Only files with another size or time than noted are read.
    """
    found = journal.read(out.journal(stage))
    there = {name: mark.replace(" ", ":") for name, mark in marks(out.stage(stage)).items()}

    def is_whole(name: str, entry: Entry) -> bool:
        summed, _, marked = entry.checksum.partition(":")
        path = out.stage(stage) / name
        return there.get(name) == marked or (name in there and _sum(path) == summed)

    return {
        name: entry for name, entry in found.items() if entry.checksum == NO_FILE or is_whole(name, entry)
    }


def compact(out: OutputLayout, stage: str, names: Iterable[str]) -> None:
    """Shortens the stage's journal to those of the names that are whole, each with its size and time now."""
    found, there = entries(out, stage), marks(out.stage(stage))
    now = {name: _again(found[name], there.get(name, "")) for name in names if name in found}
    journal.rewrite(out.journal(stage), now)


def remove_damaged(out: OutputLayout, stage: str, names: Sequence[str]) -> list[str]:
    """Removes those of the files that are not as they were written, so that they are built anew.

    Each is read, whatever its size and time say. Gives the names of those removed.
    """
    noted = journal.read(out.journal(stage))
    with ThreadPoolExecutor() as pool:
        sums = list(pool.map(lambda name: _sum(out.stage(stage) / name), names))
    found = [
        name
        for name, now in zip(names, sums, strict=True)
        if now is None or name not in noted or now != noted[name].checksum.partition(":")[0]
    ]
    for name in found:
        remove(out.stage(stage) / name)
    return found


def _seal(summed: str | None, marked: str) -> str:
    return f"{summed}:{marked.replace(' ', ':')}"


def _again(entry: Entry, marked: str) -> Entry:
    """The entry with the size and time that its file has now."""
    return (
        entry
        if entry.checksum == NO_FILE
        else Entry(_seal(entry.checksum.partition(":")[0], marked), entry.record)
    )


def _sum(path: Path) -> str | None:
    """It is damage that is looked for, not malice, in files of hundreds of megabytes together."""
    found = xxh3_64()
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError:
        return None
    return found.hexdigest()
