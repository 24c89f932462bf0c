"""Damage trial directories at random, as disks, clients and agents do. A seed gives the same damage again."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

_VALUES: tuple[Any, ...] = (None, True, 0, -1, 2**70, 1.5, "", "\x1b[31m", "\ud800", [], {}, [[]], "x" * 5000)


def mutate(trial: Path, rng: random.Random) -> str:
    """Damage one file of a trial directory, and say how."""
    # A link may lead out of the trial by now, and what it leads to is not ours to damage.
    files = sorted(path for path in trial.rglob("*") if path.is_file() and not path.is_symlink())
    path, name = rng.choice(files), rng.choice(sorted(_WAYS))
    _WAYS[name](path, rng)
    return f"{name}: {path.relative_to(trial)}"


def _cut(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data) + 1)])


def _bytes(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes() or b"x")
    for _ in range(rng.randrange(1, 20)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(data)


def _values(path: Path, rng: random.Random) -> None:
    """Replace some values anywhere in a JSON document by values of other types."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return _bytes(path, rng)
    for _ in range(rng.randrange(1, 4)):
        document = _replaced(document, rng)
    path.write_text(json.dumps(document), "utf-8", "surrogatepass")
    return None


def _replaced(value: Any, rng: random.Random) -> Any:
    if not value or not isinstance(value, dict | list) or rng.random() < 0.15:
        return deepcopy(rng.choice(_VALUES))
    key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
    value[key] = _replaced(value[key], rng)
    return value


def _link(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.symlink_to(
        rng.choice(["/etc/passwd", "/dev/zero", "/proc/self/environ", path.name, "nowhere", ".."])
    )


def _pipe(path: Path, rng: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.mkdir()


def _copy(path: Path, rng: random.Random) -> None:
    shutil.copy(path, path.with_name(f"conv_2026{rng.randrange(10**6)}.json"))


_WAYS: dict[str, Callable[[Path, random.Random], None]] = {
    "cut": _cut,
    "other bytes": _bytes,
    "other values": _values,
    "other values again": _values,  # twice as often as the rest
    "removed": lambda path, rng: path.unlink(),
    "emptied": lambda path, rng: path.write_bytes(b""),
    "a link": _link,
    "a pipe": _pipe,
    "a folder": _folder,
    "a copy as a log": _copy,
}


def mutants(source: Path, run: Path, count: int, seed: int) -> dict[str, str]:
    """Write `count` damaged copies of the trials in `source` into a run; return the damage by trial uid."""
    rng = random.Random(seed)
    trials = sorted(path for path in source.glob("*/*/trials/*_t*") if path.is_dir())
    found: dict[str, str] = {}
    for number in range(count):
        original = rng.choice(trials)
        uid = f"mutant_{number:05}_t0_{number:05x}"
        copy = Path(shutil.copytree(original, run / "trials" / uid))
        if _has_file(copy):
            found[uid] = " and ".join(
                mutate(copy, rng) for _ in range(rng.randrange(1, 3)) if _has_file(copy)
            )
    return found


def _has_file(folder: Path) -> bool:
    return any(path.is_file() and not path.is_symlink() for path in folder.rglob("*"))
