"""The bytes of each token id, read from `tokenizer.json` without an engine.

The proofs decode with this vocabulary, so that a fault of an engine can't hide itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seta_dag.tokens.student.byte_level import spellings_by_id, token_bytes
from seta_dag.tokens.student.engines import Ids
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.student.windows import windows

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer

ByteOffsets = npt.NDArray[np.int32]
_BATCH = 1 << 20  # tokens that are decoded and compared at once
_SEPARATORS = ("<|im_end|>\n", "\n")


class Decoded(NamedTuple):
    """Decoded ids: token i is `data[offsets[i]:offsets[i + 1]]`.

    A token can be part of a character, so this is bytes and not text.
    """

    data: bytes
    """The bytes of all tokens, concatenated."""
    offsets: ByteOffsets
    """int32, one more than there are tokens; the first is 0."""

    def texts(self, spans: Iterable[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each span of tokens `[start, end)`.

        Raises:
            IndexError: A span is out of range.
        """
        bounds = self.offsets[np.array(list(spans), np.int64).reshape(-1, 2)].tolist()
        return [self.data[start:end] for start, end in bounds]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The student's vocabulary as arrays that are indexed by token id."""

    tokens: pa.BinaryArray
    """The bytes of each token; empty for an id without a token."""
    is_added: npt.NDArray[np.bool_]
    """Same length as `tokens`: True for added tokens."""

    @classmethod
    def load(cls, student: Student) -> Vocabulary:
        """Read the student's vocabulary. Takes half a second, so keep the result."""
        tokenizer = student.parse()
        added = {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
        spellings = spellings_by_id(tokenizer["model"]["vocab"], added)
        is_added = np.zeros(len(spellings), np.bool_)
        is_added[list(added)] = True
        return cls(token_bytes(spellings), is_added)

    def decode_expected(self, ids: Ids, expected: bytes) -> Decoded:
        """Decode ids that most likely give `expected`.

        Saves a copy of the text if they do. The result is that of `decode`; only if it is equal to
        `expected`, it holds that very object.

        Raises:
            IndexError: The vocabulary has no such id.
        """
        offsets, buffer = np.zeros(len(ids) + 1, np.int32), pa.py_buffer(expected)
        # Batch by batch: the bytes of a batch are compared in place and thrown away.
        for first in range(0, len(ids), _BATCH):
            part, data = self._take(ids[first : first + _BATCH])
            start, size = int(offsets[first]), int(part[-1])
            if not data.slice(0, size).equals(buffer.slice(start, min(size, len(expected) - start))):
                return self.decode(ids)
            np.add(part[1:], start, out=offsets[first + 1 : first + len(part)])
        return Decoded(expected, offsets) if offsets[-1] == len(expected) else self.decode(ids)

    def decode(self, ids: Ids) -> Decoded:
        """Decode ids to bytes.

        Raises:
            IndexError: The vocabulary has no such id.
        """
        offsets, data = self._take(ids)
        return Decoded(data.slice(0, int(offsets[-1])).to_pybytes(), offsets)

    def _take(self, ids: Ids) -> tuple[ByteOffsets, pa.Buffer]:
        # Arrow gathers the tokens in C, and its buffers are read without a Python object per token.
        taken = self.tokens.take(pa.Array.from_buffers(pa.int32(), len(ids), [None, pa.py_buffer(ids)]))
        _, offsets, data = taken.buffers()
        return np.frombuffer(offsets, np.int32, len(ids) + 1), data or pa.py_buffer(b"")


def nfc(text: str) -> bytes:
    """Return the NFC form of `text` in UTF-8, which is what Qwen's tokenizers encode.

    Normalizing is slow, so only the lines that are not ASCII are normalized. That is exact: a `<` composes
    with nothing before it, and a newline composes with nothing at all.
    """
    return _nfc(text, _SEPARATORS).encode()


def nfc_utf8(data: bytes) -> bytes:
    """Return the NFC form of a text in UTF-8, `data` itself if it is in NFC."""
    if data.isascii():
        return data
    normal = bytearray()
    for window in windows(data):  # a decoded str takes up to four times the memory
        normal += nfc(window.decode())
    return data if normal == data else bytes(normal)


def _nfc(text: str, separators: Sequence[str]) -> str:
    if text.isascii():
        return text
    if not separators:
        return _normalizer().normalize_str(text)
    # Turns first, then lines: a turn that is ASCII need not be split into lines.
    first, *rest = separators
    return first.join([_nfc(part, rest) for part in text.split(first)])


@lru_cache(maxsize=1)
def _normalizer() -> Normalizer:
    # Not Python's own: its Unicode version depends on the version of Python.
    from tokenizers.normalizers import NFC

    return NFC()
