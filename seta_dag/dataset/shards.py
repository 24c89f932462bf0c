"""R10 and R12: the Parquet shards of a variant, cut by the tasks' names, only the touched ones written."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.outcomes import read_outcomes
from seta_dag.dataset.pieces import Piece, RowKey, cut
from seta_dag.dataset.row import ROW_SCHEMA
from seta_dag.dataset.task_table import read_task, variant_rows
from seta_dag.files import replace_directory, write_json, written_aside
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
    out: Out, variant: Variant, ledger: Iterable[Mapping[str, Any]], fingerprints: Mapping[str, str]
) -> Shards:
    """Writes the shards of the ledger's rows; those whose rows did not change are kept as they are.

    The dataset's directory is put in place in one step. Its README.md stays only where no shard
    changed: a card is never seen beside data that it does not describe.
    """
    rows = [line for line in ledger if line["disposition"] == "row"]
    pieces = list(cut(rows, _contents(out, variant, fingerprints), variant))
    names = [f"train-{i:05d}-of-{len(pieces):05d}.parquet" for i in range(len(pieces))]
    data, index = out.dataset(variant) / "data", out.stages / "shards" / f"{variant}.json"
    kept = _kept(index, data)
    done = tuple(data / name for name in names)
    if [kept.get(piece.key) for piece in pieces] == list(done) and len(list(data.iterdir())) == len(done):
        return Shards(done, 0, len(rows))
    aside = _written_aside(out, variant, dict(zip(names, pieces, strict=True)), fingerprints, kept)
    replace_directory(aside, out.dataset(variant))
    marks = {piece.key: [path.name, *_mark(path)] for piece, path in zip(pieces, done, strict=True)}
    write_json(index, marks)
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
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "data").mkdir(parents=True)

    def put(name: str) -> None:
        piece = pieces[name]
        _keep_or_write(out, variant, piece, fingerprints, kept.get(piece.key), aside / "data" / name)

    with ThreadPoolExecutor() as pool:
        list(pool.map(put, pieces))
    return aside


def _contents(out: Out, variant: Variant, fingerprints: Mapping[str, str]) -> dict[RowKey, str]:
    """What identifies the content of each row: both digests of its line in the stage file."""
    lines = (line for of_task in read_outcomes(out, fingerprints).values() for line in of_task)
    return {
        (line["task_id"], line["run"], line["trial_uid"]): f"{line['content']} {line[f'{variant}.proof']}"
        for line in lines
    }


def _kept(index: Path, data: Path) -> dict[str, Path]:
    """The shards that stand in `data` as they were written, by the key of their piece."""
    if not index.exists() or not data.is_dir():
        return {}
    marks = orjson.loads(index.read_bytes())
    paths = {key: (data / name, mark) for key, (name, *mark) in marks.items()}
    return {key: path for key, (path, mark) in paths.items() if path.exists() and _mark(path) == mark}


def _mark(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _keep_or_write(
    out: Out, variant: Variant, piece: Piece, fingerprints: Mapping[str, str], kept: Path | None, path: Path
) -> None:
    if kept is None:
        _write(path, _rows_of(out, variant, piece, fingerprints))
        return
    try:
        os.link(kept, path)
    except OSError:  # a file system without hard links
        shutil.copy2(kept, path)


def _rows_of(out: Out, variant: Variant, piece: Piece, fingerprints: Mapping[str, str]) -> pa.Table:
    """The piece's rows in order: its tasks are in order, so each task's own rows are all there is to sort."""
    wanted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for task, run, uid in piece.rows:
        wanted[task].add((run, uid))
    tables = [ROW_SCHEMA.empty_table()]
    for task, trials in wanted.items():
        table = read_task(out.task_file("tokens", task, fingerprints[task]))
        tables.append(variant_rows(_chosen(table, trials), variant))
    return pa.concat_tables(tables)


def _chosen(table: pa.Table, trials: set[tuple[str, str]]) -> pa.Table:
    """The lines of those (run, uid), by uid and then by log."""
    identity = table.select(["trial_uid", "conv_json_path", "run"]).to_pylist()
    keys = [(line["trial_uid"], line["conv_json_path"], at) for at, line in enumerate(identity)
            if (line["run"], line["trial_uid"]) in trials]  # fmt: skip
    order = [at for *_, at in sorted(keys)]
    return table if order == list(range(len(table))) else table.take(pa.array(order, pa.int64()))


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
