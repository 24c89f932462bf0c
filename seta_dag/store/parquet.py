"""Parquet files that somebody may have cut, edited or put there: opened, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.errors import DatasetError


@contextmanager
def opened(path: Path, schema: pa.Schema | None = None) -> Iterator[pq.ParquetFile]:
    """The Parquet file at `path`, whose columns and types must be those of `schema`, if one is given.

    Raises `DatasetError` where they are not, and for whatever can't be read while the file is open.
    """
    try:
        with pq.ParquetFile(path) as file:
            if schema is not None and not file.schema_arrow.equals(schema):
                raise DatasetError(
                    f"{path}: its columns are not those that a build writes; build the dataset again"
                )
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what = str(error).strip().partition("\n")[0]
        raise DatasetError(f"{path}: can't be read ({what}); build the dataset again") from error
