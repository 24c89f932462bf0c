"""Whether everything under the output directory is already what the inputs give."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from seta_dag import __version__
from seta_dag.files import write_json
from seta_dag.out import Out
from seta_dag.rollouts.merged import Merged
from seta_dag.tokens.render import VARIANTS, Variant


def inputs_of(merged: Merged, *others: object) -> str:
    """One hash of all that decides the ledger, the shards and the cards; `others` are dataclasses."""
    known = [__version__, merged, sorted(merged.canonical), dict(merged.fingerprints), others]
    return hashlib.sha256(orjson.dumps(known, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def mark_finished(out: Out, variant: Variant, inputs: str) -> None:
    """Notes that the ledger and this variant's dataset were built whole from `inputs`, and checked."""
    write_json(_note(out, variant), {"inputs": inputs, "files": _files(out, variant)})


def is_finished(out: Out, inputs: str) -> bool:
    """Whether both datasets were built whole from `inputs` and no file of them was touched since."""
    return all(
        _noted(out, variant) == {"inputs": inputs, "files": _files(out, variant)} for variant in VARIANTS
    )


def _noted(out: Out, variant: Variant) -> Any:
    note = _note(out, variant)
    return orjson.loads(note.read_bytes()) if note.is_file() else None


def _note(out: Out, variant: Variant) -> Path:
    return out.stages / "finished" / f"{variant}.json"


def _files(out: Out, variant: Variant) -> dict[str, list[int]]:
    """Size and time of every file that a reader of the dataset sees."""
    seen = [path for path in (out.ledger, *sorted(out.dataset(variant).rglob("*"))) if path.is_file()]
    stats = {path.relative_to(out.root).as_posix(): path.stat() for path in seen}
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else dict(value)
