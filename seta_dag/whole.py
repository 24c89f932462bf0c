"""Whether the stage files are as they were written, byte for byte: a damaged one counts as not there.

Each stage has a list of what was written: a line a file, with its sum, size and time. The line is added
before the file appears, so that a build that was killed leaves no file that is not on the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from seta_dag.files import mark, marks, remove, write_bytes
from seta_dag.out import Out

_BLOCK = 1 << 20


class _Written(NamedTuple):
    sum: str | None
    mark: str


def note_written(out: Out, stage: str, name: str, path: Path) -> None:
    """Adds what lies at `path`, and is about to become the stage file `name`, to the stage's list."""
    with _list(out, stage).open("ab") as file:  # a line that a kill cut short does not reach into the next
        file.write(b"\n" + _line(name, _Written(_sum(path), mark(path))))


def whole(out: Out, stage: str) -> dict[str, str]:
    """The mark of every file of a stage that is as it was written, by name.

    Only files with another size or time than noted are read.
    """
    noted = _noted(out, stage)
    return {
        name: seen
        for name, seen in marks(out.stage(stage)).items()
        if name in noted and (noted[name].mark == seen or _sum(out.stage(stage) / name) == noted[name].sum)
    }


def settle(out: Out, stage: str) -> None:
    """Shortens the stage's list to the files that are whole, each with its size and time now."""
    noted, found = _noted(out, stage), whole(out, stage)
    now = {name: _Written(noted[name].sum, seen) for name, seen in found.items()}
    if now != noted:
        write_bytes(_list(out, stage), b"\n".join(_line(name, now[name]) for name in sorted(now)))


def remove_damaged(out: Out, stage: str, names: Sequence[str]) -> list[str]:
    """Removes those of the files that are not as they were written, so that they are built anew.

    Each is read, whatever its size and time say. Gives the names of those removed.
    """
    noted = _noted(out, stage)
    with ThreadPoolExecutor() as pool:
        sums = list(pool.map(lambda name: _sum(out.stage(stage) / name), names))
    found = [
        name
        for name, now in zip(names, sums, strict=True)
        if now is None or name not in noted or now != noted[name].sum
    ]
    for name in found:
        remove(out.stage(stage) / name)
    return found


def intact(out: Out, stage: str, names: Iterable[str]) -> set[str]:
    """Those of the files that are as they were written: each is read, and a damaged one removed."""
    found = whole(out, stage)
    there = [name for name in names if name in found]
    return set(there) - set(remove_damaged(out, stage, there))


def _list(out: Out, stage: str) -> Path:
    return out.stages / f".{stage}.sums"


def _line(name: str, written: _Written) -> bytes:
    return f"{written.sum} {written.mark} {name}".encode()


def _noted(out: Out, stage: str) -> dict[str, _Written]:
    """What was written last under each name."""
    try:
        lines = _list(out, stage).read_text("utf-8", "replace").split("\n")
    except OSError:
        return {}
    found = (line.split(" ") for line in lines)
    return {part[3]: _Written(part[0], f"{part[1]} {part[2]}") for part in found if len(part) == 4}


def _sum(path: Path) -> str | None:
    """CRC-32: it is damage that is looked for, in files of hundreds of megabytes together."""
    found = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found = crc32(block, found)
    except OSError:
        return None
    return f"{found:08x}"
