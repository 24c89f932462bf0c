"""Whether files are intact, byte for byte. A damaged one counts as missing, and is built again.

A checksum is text: the hash of the bytes, and size and time of the file when it was written.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from xxhash import xxh3_64

from seta_dag.store.atomic import mark

_BLOCK = 1 << 20


class ChecksummedFile(io.RawIOBase):
    """File object that checksums the bytes written through it, not what the disk returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._sum = xxh3_64()
        self._failed: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Write all of `data` and return its length.

        Raises:
            OSError: it cannot be written, or an earlier write failed: a file with a gap is of no use.
        """
        if self._failed is not None:
            raise self._failed
        self._sum.update(data)
        # An unbuffered file may take fewer bytes than it is given.
        left = memoryview(data).cast("B")
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            self._failed = error
            raise
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()

    def checksum(self, path: Path) -> str:
        """Return the checksum of what was written, with size and time of the file at `path`."""
        return f"{self._sum.hexdigest()}:{mark(path)}"


def is_unchanged(path: Path, checksum: str) -> bool:
    """Return whether a file is as it was written; it is read only if its size or time is another one."""
    summed, _, marked = checksum.partition(":")
    try:
        return mark(path) == marked or _file_checksum(path) == summed
    except OSError:
        return False


def is_intact(path: Path, checksum: str) -> bool:
    """Return whether a file has this checksum. It is always read, whatever its time."""
    return _file_checksum(path) == checksum.partition(":")[0]


def with_present_time(path: Path, checksum: str) -> str:
    """Return the checksum of an intact file with its present size and time."""
    return f"{checksum.partition(':')[0]}:{mark(path)}"


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
