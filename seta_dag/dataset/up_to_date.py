"""Detect that the output directory already has everything that the inputs would produce."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from seta_dag.rollouts.merge import Merged
from seta_dag.store.atomic import mark
from seta_dag.store.layout import FORMAT_VERSION, OutputLayout
from seta_dag.store.table import Table
from seta_dag.tokens.built import unbuilt
from seta_dag.tokens.variants import VARIANTS, Variant


def inputs_of(merged: Merged, *others: object) -> str:
    """Return the hex sha256 of everything that determines the ledger, the shards and the cards.

    `others` are dataclasses, for example the options of the build.
    """
    # Sets and mapping proxies are no JSON; sorted lists and keys make equal inputs hash equally.
    known = [FORMAT_VERSION, merged, sorted(merged.canonical), dict(merged.fingerprints), others]
    return hashlib.sha256(orjson.dumps(known, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a finished build, by its path below the output directory, with its size and time."""

    path: str
    mark: str


_FILES: Table[_File] = Table(_File)


def mark_finished(out: OutputLayout, variant: Variant, inputs: str, merged: Merged) -> None:
    """Record that the ledger and this variant's dataset were built from `inputs` and passed all checks.

    Raises:
        OutputError: if the record cannot be written.
    """
    _FILES.write(_memo(out, variant), _files(out, variant), _state(out, inputs, merged))


def is_finished(out: OutputLayout, inputs: str, merged: Merged) -> bool:
    """Return whether both datasets were built from `inputs` and no file has changed since.

    False also if other tasks are built by now, or if a file was added or removed.
    """
    found = {variant: _FILES.content(_memo(out, variant)) for variant in VARIANTS}
    state = _state(out, inputs, merged)
    return all(
        content is not None and content.note == state and list(content.rows) == _files(out, variant)
        for variant, content in found.items()
    )


def _state(out: OutputLayout, inputs: str, merged: Merged) -> str:
    return orjson.dumps([inputs, unbuilt(out, merged.fingerprints)]).decode()


def _memo(out: OutputLayout, variant: Variant) -> Path:
    return out.memo(f"{variant}.finished")


def _files(out: OutputLayout, variant: Variant) -> list[_File]:
    """Return the merge, the ledger and the dataset's files."""
    paths = (out.resume_chain, out.ledger, *sorted(out.dataset(variant).rglob("*")))
    # Relative paths, so that a moved output directory is still up to date.
    return [_File(path.relative_to(out.root).as_posix(), mark(path)) for path in paths if path.is_file()]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else dict(value)
