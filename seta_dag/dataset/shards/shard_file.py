"""Write one shard from the files of pieces, and read it back: what a worker does with a `ShardJob`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.schema import FIELDS, LONG, ROW_SCHEMA
from seta_dag.dataset.shards.facts import Shard
from seta_dag.dataset.shards.reader import read_shard
from seta_dag.executor.memory import give_back
from seta_dag.executor.stage_table import PieceFile
from seta_dag.store.atomic import written_aside
from seta_dag.store.columns import to_columns
from seta_dag.store.integrity import is_intact
from seta_dag.tokens.outcomes import TrialOutcome
from seta_dag.tokens.piece_file import PieceReader
from seta_dag.tokens.variants import Variant

_MAX_GROUP_ROWS = 128
_MAX_GROUP_TOKENS = 4_000_000
"""Keeps a row group at about 100 MB (25 bytes per token, uncompressed); the Hub's viewer allows 286 MB."""


@dataclass(frozen=True, slots=True)
class ShardJob:
    """A shard to write.

    Attributes:
        path: where it goes.
        variant: of its rows.
        rows: outcomes of its trials, in the order of rule R10.
        pieces: the folder of the pieces' files.
        files: the file of each task that has a row in it.
    """

    path: Path
    variant: Variant
    rows: tuple[TrialOutcome, ...]
    pieces: Path
    files: Mapping[str, PieceFile]


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What became of a job: the shard as read back, or the names of the files that are damaged."""

    shard: Shard | None
    damaged: tuple[str, ...] = ()


def write_shard(job: ShardJob) -> ShardResult:
    """Write the shard and read it back, unless a piece's file is missing or damaged.

    The checksum of each of these files is compared even if its time is the same.

    Raises:
        OutputError: if the shard cannot be written.
    """
    files = sorted(set(job.files.values()), key=lambda file: file.name)
    damaged = [file.name for file in files if not is_intact(job.pieces / file.name, file.checksum)]
    if damaged:
        return ShardResult(None, tuple(damaged))
    _write(job.path, _tables(job, [file.name for file in files]))
    give_back()  # free memory that the C library would keep after the large columns
    shard = read_shard(job.path)
    give_back()
    return ShardResult(shard)


_WITH_STATISTICS = [name for name in FIELDS if name not in LONG and name != "provider_token_counts"]
"""Minimum and maximum of a long column are useless, and would keep two of its values in memory."""


def _write(path: Path, groups: Iterable[pa.Table]) -> None:
    """Write a shard, one row group per table."""
    settings: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 3,
        # Only masks repeat their values.
        "use_dictionary": ["loss_mask.list.element"],
        "write_page_index": True,
        "write_statistics": _WITH_STATISTICS,
        # Page boundaries follow the content, so that after a change the Hub stores only the changed pages.
        "use_content_defined_chunking": True,
    }
    with written_aside(path) as aside, pq.ParquetWriter(aside, ROW_SCHEMA, **settings) as writer:
        for group in groups:
            writer.write_table(group)


def _tables(job: ShardJob, names: Iterable[str]) -> Iterator[pa.Table]:
    # The files are mapped only until the last table is written, and no longer when the shard is read back.
    readers = {name: PieceReader(job.pieces / name) for name in names}
    return (_table(job, readers, group) for group in _row_groups(job.rows, job.variant))


def _table(job: ShardJob, readers: Mapping[str, PieceReader], rows: Sequence[TrialOutcome]) -> pa.Table:
    # Short columns come from the outcomes; the long ones are Arrow in the piece's file, and are not copied.
    kinds = {name: kind for name, kind in FIELDS.items() if name not in LONG}
    columns = to_columns([_short(line, job.variant, kinds) for line in rows], kinds)
    parts = [readers[job.files[line.task_id].name].row(line.at, job.variant) for line in rows]
    columns["raw_conv_json"] = pa.chunked_array([part.log for part in parts])
    columns["chat_template_str"] = pa.chunked_array([part.text for part in parts])
    columns["input_ids"] = pa.chunked_array([part.ids for part in parts])
    columns["loss_mask"] = pa.chunked_array([part.mask for part in parts])
    return pa.table([columns[name] for name in FIELDS], schema=ROW_SCHEMA)


def _short(line: TrialOutcome, variant: Variant, names: Iterable[str]) -> dict[str, Any]:
    """Return the short columns of a row by name."""
    counts, columns = line.of(variant), line.row
    sources = {"task_id": line, "trial_uid": line, "local_token_count": counts, "n_assistant_tokens": counts}
    return {name: getattr(sources.get(name, columns), name) for name in names}


def _row_groups(rows: Sequence[TrialOutcome], variant: Variant) -> Iterator[Sequence[TrialOutcome]]:
    """Divide rows into row groups with a limited number of rows and tokens, at least one row each."""
    group: list[TrialOutcome] = []
    tokens = 0
    for line in rows:
        count = line.of(variant).local_token_count
        if group and (len(group) == _MAX_GROUP_ROWS or tokens + count > _MAX_GROUP_TOKENS):
            yield group
            group, tokens = [], 0
        group.append(line)
        tokens += count
    if group:
        yield group
