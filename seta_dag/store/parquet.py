"""Open Parquet files that anybody may have cut off, edited or put there, or refuse them in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.errors import DatasetError


@contextmanager
def opened(path: Path, schema: pa.Schema | None = None) -> Iterator[pq.ParquetFile]:
    """Open the Parquet file at `path`; columns and types must be those of `schema`, if given.

    Raises:
        DatasetError: they are not, or something cannot be read while the file is open.
    """
    try:
        with pq.ParquetFile(path) as file:
            if schema is not None and not file.schema_arrow.equals(schema):
                raise DatasetError(
                    f"{path}: its columns are not those that a build writes; build or download it again"
                )
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        # Arrow's messages can have several lines, of which the first says what is wrong.
        what = str(error).strip().partition("\n")[0]
        raise DatasetError(f"{path}: cannot be read ({what}); build or download it again") from error
