"""Detect that the output directory already has everything that the inputs would produce."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from seta_dag.executor.stage import unbuilt
from seta_dag.rollouts.merge import Merged
from seta_dag.store.atomic import mark, read_memo, write_memo
from seta_dag.store.layout import FORMAT_VERSION, OutputLayout
from seta_dag.tokens.variants import VARIANTS, Variant


def inputs_of(merged: Merged, *others: object) -> str:
    """Return the hex sha256 of everything that determines the ledger, the shards and the cards.

    `others` are dataclasses, for example the options of the build.
    """
    # Sets and mapping proxies are no JSON; sorted lists and keys make equal inputs hash equally.
    known = [FORMAT_VERSION, merged, sorted(merged.canonical), dict(merged.fingerprints), others]
    return hashlib.sha256(orjson.dumps(known, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def mark_finished(out: OutputLayout, variant: Variant, inputs: str, merged: Merged) -> None:
    """Record that the ledger and this variant's dataset were built from `inputs` and passed all checks.

    Raises:
        OutputError: if the record cannot be written.
    """
    write_memo(_memo(out, variant), _state(out, variant, inputs, merged))


def is_finished(out: OutputLayout, inputs: str, merged: Merged) -> bool:
    """Return whether both datasets were built from `inputs` and no file has changed since.

    False also if other tasks are built by now, or if a file was added or removed.
    """
    memos = {variant: read_memo(_memo(out, variant)) for variant in VARIANTS}
    return all(memo == _state(out, variant, inputs, merged) for variant, memo in memos.items())


def _state(out: OutputLayout, variant: Variant, inputs: str, merged: Merged) -> list[Any]:
    return [inputs, unbuilt(out, merged.fingerprints), _files(out, variant)]


def _memo(out: OutputLayout, variant: Variant) -> Path:
    return out.memo(f"{variant}.finished")


def _files(out: OutputLayout, variant: Variant) -> dict[str, str]:
    """Return size and time of the merge, the ledger and the dataset's files, keyed by path."""
    paths = (out.resume_chain, out.ledger, *sorted(out.dataset(variant).rglob("*")))
    # Relative paths, so that a moved output directory is still up to date.
    return {path.relative_to(out.root).as_posix(): mark(path) for path in paths if path.is_file()}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else dict(value)
