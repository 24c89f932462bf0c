"""Parquet tables of dataclasses: the state of a build. Each is written whole, in one visible step.

A table is small, so reading and writing all of it is simpler than a database, and unlike a database's locks
it works on network file systems.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from xxhash import xxh3_64_hexdigest

from seta_dag.store.atomic import written_aside
from seta_dag.store.columns import to_columns
from seta_dag.store.layout import FORMAT_VERSION

Row = TypeVar("Row")

_SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}
_VERSION, _NOTE, _NOTE_SUM = b"seta_dag.version", b"seta_dag.note", b"seta_dag.note_sum"


@dataclass(frozen=True, slots=True, eq=False)  # by identity: it is a key of caches
class Content:
    """What a table holds: its rows in order, and a short text about all of them."""

    rows: tuple[Any, ...]
    note: str


class Table(Generic[Row]):
    """The form of a table whose rows are dataclasses of one type.

    Their fields are strings, enums of strings, numbers, booleans, dataclasses, tuples of these, or
    `X | None`.
    """

    def __init__(self, row: Any) -> None:
        self._rows = tuple.__class_getitem__((row, ...))
        self._schema = pa.schema(arrow_type(row).fields)

    def read(self, path: Path) -> tuple[Row, ...] | None:
        """Return the rows; None if there is no table, or if it is damaged or of another `FORMAT_VERSION`.

        The rows of a file that has not changed are the very same objects each time.
        """
        content = self.content(path)
        return None if content is None else content.rows

    def content(self, path: Path) -> Content | None:
        """Return the rows and the note, as `read` does."""
        try:
            stat = os.stat(path)  # noqa: PTH116 - called often, for a path that may not be there
        except OSError:
            return None
        return _read(self, path, (stat.st_ino, stat.st_size, stat.st_mtime_ns))

    def write(self, path: Path, rows: Iterable[Row], note: str = "") -> None:
        """Replace the table at `path`. Raises `OutputError`."""
        kinds = {field.name: field.type for field in self._schema}
        about = {_VERSION: FORMAT_VERSION, _NOTE: note, _NOTE_SUM: _sum(note)}
        table = pa.table(to_columns(rows, kinds), schema=self._schema).replace_schema_metadata(about)
        with written_aside(path) as aside:
            pq.write_table(table, aside, compression="zstd", write_page_checksum=True)

    def load(self, path: Path) -> Content | None:
        """Read the file, whatever was read before."""
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                table = file.read()
            about = table.schema.metadata or {}
            if about.get(_VERSION) != FORMAT_VERSION.encode() or not table.schema.equals(self._schema):
                return None
            rows = msgspec.convert(table.to_pylist(), self._rows)
            note = about[_NOTE].decode()
            return Content(rows, note) if about[_NOTE_SUM].decode() == _sum(note) else None
        except (pa.ArrowException, OSError, ValueError, KeyError):  # msgspec's and Unicode's are ValueErrors
            return None


def _sum(note: str) -> str:
    # Parquet has checksums of its pages, but none of its metadata.
    return xxh3_64_hexdigest(note.encode())


@lru_cache(maxsize=8)  # a build asks for each of its tables many times
def _read(table: Table[Any], path: Path, mark: tuple[int, int, int]) -> Content | None:
    return table.load(path)


def arrow_type(kind: Any, known: Mapping[Any, Any] = MappingProxyType({})) -> pa.DataType:
    """Return the Arrow type of an annotation, which for a dataclass is a struct.

    `known` has the types that stand for the type variables of a generic dataclass.
    """
    kind, origin = known.get(kind, kind), get_origin(kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, str):
        return pa.string()  # an enum of words
    if isinstance(kind, UnionType):
        (inner,) = (one for one in get_args(kind) if one is not NoneType)
        return arrow_type(inner, known)
    if origin is tuple:
        return pa.list_(arrow_type(get_args(kind)[0], known))
    row = origin or kind
    of_row = dict(zip(getattr(row, "__parameters__", ()), get_args(kind), strict=True))
    hints = get_type_hints(row)
    return pa.struct([(one.name, arrow_type(hints[one.name], of_row)) for one in fields(row)])
