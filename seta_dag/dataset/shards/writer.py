"""R10 and R12: the Parquet shards of a variant, cut by the tasks' names, only the touched ones written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.ledger.ledger import LedgerLine
from seta_dag.dataset.schema import FIELDS, LONG, ROW_SCHEMA
from seta_dag.dataset.shards.layout import ShardPlan, plan_shards
from seta_dag.dataset.shards.source import RowSource
from seta_dag.executor.memory import give_back
from seta_dag.executor.stage import Progress, no_progress
from seta_dag.executor.workers import in_order
from seta_dag.store.atomic import mark, marks, read_memo, remove, replace_directory, write_memo, written_aside
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class Shards:
    """What was written: the shards' paths in order, how many of them anew, and their rows."""

    paths: tuple[Path, ...]
    written: int
    rows: int


def write_shards(
    out: OutputLayout,
    variant: Variant,
    ledger: Iterable[LedgerLine],
    fingerprints: Mapping[str, str],
    tick: Progress = no_progress,
) -> Shards:
    """Writes the shards of the ledger's rows; those whose rows did not change are kept as they are.

    The dataset's directory is put in place in one step. Its README.md stays only where no shard
    changed: a card is never seen beside data that it does not describe. Raises `NotBuiltError` where
    the stage file of a row is missing or damaged, and removes a damaged one, so that it is built again.
    """
    rows = [line for line in ledger if line["disposition"] == "row"]
    source = RowSource.of(out, fingerprints)
    pieces = list(plan_shards(rows, source.contents(variant, rows), variant))
    names = [f"train-{i:05d}-of-{len(pieces):05d}.parquet" for i in range(len(pieces))]
    data, index = out.dataset(variant) / "data", out.memo(f"{variant}.shards")
    kept = _kept(index, data)
    done = tuple(data / name for name in names)
    if [kept.get(piece.key) for piece in pieces] == list(done) and len(list(data.iterdir())) == len(done):
        return Shards(done, 0, len(rows))
    source.require_intact(piece for piece in pieces if piece.key not in kept)
    aside = _written_aside(source, variant, dict(zip(names, pieces, strict=True)), kept, tick)
    replace_directory(aside, out.dataset(variant))
    write_memo(index, {piece.key: [path.name, mark(path)] for piece, path in zip(pieces, done, strict=True)})
    return Shards(done, sum(piece.key not in kept for piece in pieces), len(rows))


def _written_aside(
    source: RowSource,
    variant: Variant,
    pieces: Mapping[str, ShardPlan],
    kept: Mapping[str, Path],
    tick: Progress,
) -> Path:
    """The whole dataset in a directory beside its own; a shard a core is written at once."""
    aside = source.out.stages / f"{variant}.new"
    remove(aside)
    (aside / "data").mkdir(parents=True)

    def put(name: str) -> None:
        piece, path = pieces[name], aside / "data" / name
        if piece.key in kept:
            _link(kept[piece.key], path)
        else:
            _write(path, source.groups(variant, piece))

    for done, _ in enumerate(in_order(put, pieces), 1):
        tick(done, len(pieces))
    give_back()
    return aside


def _kept(index: Path, data: Path) -> dict[str, Path]:
    """The shards that stand in `data` as they were written, by the key of their piece."""
    standing = marks(data)
    kept = (read_memo(index) or {}).items()
    return {key: data / name for key, (name, written) in kept if standing.get(name) == written}


def _link(kept: Path, path: Path) -> None:
    try:
        os.link(kept, path)
    except OSError:  # a file system without hard links
        shutil.copy2(kept, path)


_WITH_STATISTICS = [name for name in FIELDS if name not in LONG and name != "provider_token_counts"]
"""Of a log the least and the greatest one are of no use, and would be held in memory twice."""


def _write(path: Path, groups: Iterable[pa.Table]) -> None:
    """One row group after the other. zstd, a dictionary for the masks alone, and chunks cut by content,
    so that a changed row leaves most of the file's bytes as they were for the Hub's storage."""
    settings: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": ["loss_mask.list.element"],
        "write_page_index": True,
        "write_statistics": _WITH_STATISTICS,
        "use_content_defined_chunking": True,
    }
    with written_aside(path) as aside, pq.ParquetWriter(aside, ROW_SCHEMA, **settings) as writer:
        for group in groups:
            writer.write_table(group)
