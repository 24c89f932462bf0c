"""Whether everything under the output directory is already what the inputs give."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from seta_dag import __version__
from seta_dag.files import mark, read_memo, write_memo
from seta_dag.out import Out
from seta_dag.rollouts.merged import Merged
from seta_dag.tokens.render import VARIANTS, Variant


def inputs_of(merged: Merged, *others: object) -> str:
    """One hash of all that decides the ledger, the shards and the cards; `others` are dataclasses."""
    known = [__version__, merged, sorted(merged.canonical), dict(merged.fingerprints), others]
    return hashlib.sha256(orjson.dumps(known, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def mark_finished(out: Out, variant: Variant, inputs: str) -> None:
    """Notes that the ledger and this variant's dataset were built whole from `inputs`, and checked."""
    write_memo(_memo(out, variant), [inputs, _files(out, variant)])


def is_finished(out: Out, inputs: str) -> bool:
    """Whether both datasets were built whole from `inputs` and no file of them was touched since."""
    return all(read_memo(_memo(out, variant)) == [inputs, _files(out, variant)] for variant in VARIANTS)


def _memo(out: Out, variant: Variant) -> Path:
    return out.memo(f"{variant}.finished")


def _files(out: Out, variant: Variant) -> dict[str, str]:
    """Size and time of every file that a reader of the dataset sees."""
    seen = [path for path in (out.ledger, *sorted(out.dataset(variant).rglob("*"))) if path.is_file()]
    return {path.relative_to(out.root).as_posix(): mark(path) for path in seen}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else dict(value)
