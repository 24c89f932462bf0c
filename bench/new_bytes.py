"""What a changed dataset holds that the Hub does not have yet: whole files, and an estimate in chunks.

    python bench/new_bytes.py BEFORE AFTER

The Hub's storage (Xet) takes in only chunks that are new, cut where a rolling hash of the content says so.
There is no Xet server here, so its cut is made again as its specification says: a gear hash of 64 bytes,
chunks of 8 to 128 KiB, 64 KiB on average. The table of the hash is another one, so this is an estimate.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

LEAST, MOST = 8 << 10, 128 << 10
CUT = np.uint64(0xFFFF << 48)
GEAR = np.random.default_rng(7).integers(0, 2**64, 256, np.uint64)
WINDOW, BLOCK = 64, 4 << 20
VARIANTS = ("thinking", "nothink")


def gear_hashes(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The gear hash of the 64 bytes that end at each byte; a window twice as long from two half as long."""
    hashes = GEAR[data]
    width = 1
    while width < WINDOW:
        hashes[width:] += hashes[:-width] << np.uint64(width)
        width *= 2
    return hashes


def candidates(data: npt.NDArray[np.uint8]) -> Iterator[int]:
    """Where a chunk may end, by the content alone."""
    for at in range(0, len(data), BLOCK):
        first = max(0, at - WINDOW)
        hashes = gear_hashes(data[first : at + BLOCK])[at - first :]
        yield from (np.flatnonzero(hashes & CUT == 0) + at + 1).tolist()


def chunks(content: bytes) -> Iterator[bytes]:
    """The chunks of a file."""
    start = 0
    for end in (*candidates(np.frombuffer(content, np.uint8)), len(content)):
        while end - start > MOST:
            yield content[start : start + MOST]
            start += MOST
        if end - start >= LEAST or end == len(content) > start:
            yield content[start:end]
            start = end


def digest(content: bytes) -> bytes:
    """What identifies a file or a chunk."""
    return hashlib.sha256(content).digest()


def files(dataset: Path) -> dict[bytes, bytes]:
    """The dataset's files by their digest."""
    contents = [path.read_bytes() for path in sorted(dataset.rglob("*")) if path.is_file()]
    return {digest(content): content for content in contents}


def compare(before: Path, after: Path) -> dict[str, int]:
    """Counts of one dataset: shards in all and new ones, bytes of new files, bytes of new chunks."""
    old, new = files(before), files(after)
    known = {digest(chunk) for content in old.values() for chunk in chunks(content)}
    fresh = [content for key, content in new.items() if key not in old]
    new_chunks = {digest(chunk): len(chunk) for content in fresh for chunk in chunks(content)}
    return {
        "shards": sum(content.startswith(b"PAR1") for content in new.values()),
        "new shards": sum(content.startswith(b"PAR1") for content in fresh),
        "bytes": sum(map(len, new.values())),
        "bytes of new files": sum(map(len, fresh)),
        "bytes of new chunks": sum(size for key, size in new_chunks.items() if key not in known),
    }


def main() -> None:
    """Prints the counts of both datasets together, as JSON."""
    before, after = Path(sys.argv[1]), Path(sys.argv[2])
    found = [compare(before / variant, after / variant) for variant in VARIANTS]
    print(json.dumps({key: sum(one[key] for one in found) for key in found[0]}))


if __name__ == "__main__":
    main()
