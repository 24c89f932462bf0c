"""R10 and R12: the Parquet shards of a variant, cut by the tasks' names, only the touched ones written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.ledger import Line
from seta_dag.dataset.pieces import Piece, cut
from seta_dag.dataset.shard_rows import contents_of, require_intact, rows_of
from seta_dag.files import mark, marks, read_memo, remove, replace_directory, write_memo, written_aside
from seta_dag.out import Out
from seta_dag.tokens.render import Variant

_ROWS_A_GROUP = 128


@dataclass(frozen=True, slots=True)
class Shards:
    """What was written: the shards' paths in order, how many of them anew, and their rows."""

    paths: tuple[Path, ...]
    written: int
    rows: int


def write_shards(
    out: Out, variant: Variant, ledger: Iterable[Line], fingerprints: Mapping[str, str]
) -> Shards:
    """Writes the shards of the ledger's rows; those whose rows did not change are kept as they are.

    The dataset's directory is put in place in one step. Its README.md stays only where no shard
    changed: a card is never seen beside data that it does not describe. Raises `NotBuiltError` where
    the stage file of a row is missing or damaged, and removes a damaged one, so that it is built again.
    """
    rows = [line for line in ledger if line["disposition"] == "row"]
    pieces = list(cut(rows, contents_of(out, variant, fingerprints, rows), variant))
    names = [f"train-{i:05d}-of-{len(pieces):05d}.parquet" for i in range(len(pieces))]
    data, index = out.dataset(variant) / "data", out.memo(f"{variant}.shards")
    kept = _kept(index, data)
    done = tuple(data / name for name in names)
    if [kept.get(piece.key) for piece in pieces] == list(done) and len(list(data.iterdir())) == len(done):
        return Shards(done, 0, len(rows))
    require_intact(out, [piece for piece in pieces if piece.key not in kept], fingerprints)
    aside = _written_aside(out, variant, dict(zip(names, pieces, strict=True)), fingerprints, kept)
    replace_directory(aside, out.dataset(variant))
    write_memo(index, {piece.key: [path.name, mark(path)] for piece, path in zip(pieces, done, strict=True)})
    return Shards(done, sum(piece.key not in kept for piece in pieces), len(rows))


def _written_aside(
    out: Out,
    variant: Variant,
    pieces: Mapping[str, Piece],
    fingerprints: Mapping[str, str],
    kept: Mapping[str, Path],
) -> Path:
    """The whole dataset in a directory beside its own; Arrow writes several shards at once."""
    aside = out.stages / f"{variant}.new"
    remove(aside)
    (aside / "data").mkdir(parents=True)

    def put(name: str) -> None:
        piece = pieces[name]
        _keep_or_write(out, variant, piece, fingerprints, kept.get(piece.key), aside / "data" / name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(put, pieces))
    return aside


def _kept(index: Path, data: Path) -> dict[str, Path]:
    """The shards that stand in `data` as they were written, by the key of their piece."""
    standing = marks(data)
    kept = (read_memo(index) or {}).items()
    return {key: data / name for key, (name, written) in kept if standing.get(name) == written}


def _keep_or_write(
    out: Out, variant: Variant, piece: Piece, fingerprints: Mapping[str, str], kept: Path | None, path: Path
) -> None:
    if kept is None:
        _write(path, rows_of(out, variant, piece, fingerprints))
        return
    try:
        os.link(kept, path)
    except OSError:  # a file system without hard links
        shutil.copy2(kept, path)


def _write(path: Path, rows: pa.Table) -> None:
    """zstd, a dictionary for the masks alone, and chunks cut by content, so that a changed row
    leaves most of the file's bytes as they were for the Hub's storage."""
    with written_aside(path) as aside:
        pq.write_table(
            rows,
            aside,
            row_group_size=_ROWS_A_GROUP,
            compression="zstd",
            compression_level=3,
            use_dictionary=["loss_mask.list.element"],
            write_page_index=True,
            use_content_defined_chunking=True,
        )
