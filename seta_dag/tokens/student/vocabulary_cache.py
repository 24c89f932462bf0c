"""The vocabulary of a tokenizer as a file in the user's cache, which is mapped instead of parsed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from xxhash import xxh3_64_hexdigest

from seta_dag.errors import OutputError
from seta_dag.store.atomic import written_aside

_SCHEMA = pa.schema({"token": pa.binary(), "is_added": pa.uint8()})
_SUM = b"seta_dag.sum"


class Tokens(NamedTuple):
    """The bytes of each token by its id, and whether it is an added one."""

    tokens: pa.BinaryArray
    is_added: npt.NDArray[np.bool_]


def read_tokens(path: Path) -> Tokens | None:
    """Return what `write_tokens` wrote to `path`; None if there is no such file, or it is damaged."""
    try:
        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
            batch = reader.get_batch(0)
            found = (reader.schema.metadata or {}).get(_SUM)
    except (OSError, pa.ArrowException):
        return None
    tokens, is_added = batch["token"], batch["is_added"]
    if found != _sum(tokens, is_added):
        return None
    return Tokens(tokens, np.frombuffer(is_added.buffers()[1], np.bool_, len(is_added)))


def write_tokens(path: Path, vocabulary: Tokens) -> None:
    """Write the file; if it cannot be written, the vocabulary is parsed again next time."""
    flags = pa.Array.from_buffers(
        pa.uint8(), len(vocabulary.is_added), [None, pa.py_buffer(vocabulary.is_added)]
    )
    schema = _SCHEMA.with_metadata({_SUM: _sum(vocabulary.tokens, flags)})
    try:
        with written_aside(path) as aside, pa.ipc.new_file(str(aside), schema) as writer:
            writer.write_batch(pa.record_batch([vocabulary.tokens, flags], schema=schema))
    except (OutputError, OSError):
        return


def _sum(tokens: pa.BinaryArray, is_added: pa.Array) -> bytes:
    """Return a checksum of the three buffers; a damaged file would make every proof fail."""
    buffers = [*tokens.buffers()[1:], *is_added.buffers()[1:]]
    lengths = [(len(tokens) + 1) * 4, None, len(is_added)]  # buffers may be padded
    parts = [memoryview(one)[:length] for one, length in zip(buffers, lengths, strict=True)]
    return xxh3_64_hexdigest(b"".join(parts)).encode()
