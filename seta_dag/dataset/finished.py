"""Whether everything under the output directory is already what these inputs give."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from seta_dag import __version__
from seta_dag.files import write_json
from seta_dag.out import Out
from seta_dag.rollouts.merged import Merged
from seta_dag.tokens.render import VARIANTS


def inputs_of(merged: Merged, *others: object) -> str:
    """One hash of all that decides the ledger, the shards and the cards; `others` are dataclasses."""
    known = [__version__, merged, sorted(merged.canonical), dict(merged.fingerprints), others]
    return hashlib.sha256(orjson.dumps(known, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def mark_finished(out: Out, inputs: str) -> None:
    """Notes that what stands under `out` now was built whole, checked, and from `inputs`."""
    write_json(_note(out), {"inputs": inputs, "files": _files(out)})


def is_finished(out: Out, inputs: str) -> bool:
    """Whether `out` was built whole from `inputs` and no file of it was touched since."""
    if not _note(out).exists():
        return False
    noted: Mapping[str, Any] = orjson.loads(_note(out).read_bytes())
    return noted == {"inputs": inputs, "files": _files(out)}


def _note(out: Out) -> Path:
    return out.stages / "finished.json"


def _files(out: Out) -> dict[str, list[int]]:
    """Size and time of every file that a reader of `out` sees."""
    seen = [out.ledger, *(path for variant in VARIANTS for path in sorted(out.dataset(variant).rglob("*")))]
    stats = {path: path.stat() for path in seen if path.is_file()}
    return {str(path.relative_to(out.root)): [stat.st_size, stat.st_mtime_ns] for path, stat in stats.items()}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else dict(value)
