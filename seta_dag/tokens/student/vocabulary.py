"""Which bytes each token id stands for, read from `tokenizer.json` itself and not through an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seta_dag.tokens.student.engines import Ids
from seta_dag.tokens.student.qwen3_tokenizer import byte_chars
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.student.windows import windows

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer

Bounds = npt.NDArray[np.int32]
_AT_ONCE = 1 << 20  # tokens that are decoded in one step
_INERT = ("<|im_end|>\n", "\n")


class Decoded(NamedTuple):
    """Decoded ids: token i is `data[offsets[i]:offsets[i + 1]]`, which may be a piece of a character."""

    data: bytes
    offsets: Bounds

    def texts(self, spans: Iterable[tuple[int, int]]) -> list[bytes]:
        """The bytes of each span of tokens. Raises `IndexError` where one lies outside."""
        bounds = self.offsets[np.array(list(spans), np.int64).reshape(-1, 2)].tolist()
        return [self.data[start:end] for start, end in bounds]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`tokens[i]` is the bytes of token id i, `is_added[i]` whether it is an added token."""

    tokens: pa.BinaryArray
    is_added: npt.NDArray[np.bool_]

    @classmethod
    def load(cls, student: Student) -> Vocabulary:
        """Reads the student's byte-level vocabulary; takes half a second, so the caller keeps it."""
        tokenizer = student.parse()
        added = {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
        spelled = _in_order(tokenizer["model"]["vocab"], added)
        is_added = np.zeros(len(spelled), np.bool_)
        is_added[list(added)] = True
        return cls(_as_bytes(spelled), is_added)

    def read(self, ids: Ids, text: bytes) -> Decoded:
        """The same as `decode`, with nothing copied where the ids spell `text`."""
        bounds, meant = np.zeros(len(ids) + 1, np.int32), pa.py_buffer(text)
        for at in range(0, len(ids), _AT_ONCE):
            part, data = self._taken(ids[at : at + _AT_ONCE])
            start, size = int(bounds[at]), int(part[-1])
            if not data.slice(0, size).equals(meant.slice(start, min(size, len(text) - start))):
                return self.decode(ids)
            np.add(part[1:], start, out=bounds[at + 1 : at + len(part)])
        return Decoded(text, bounds) if bounds[-1] == len(text) else self.decode(ids)

    def decode(self, ids: Ids) -> Decoded:
        """The bytes of the ids, joined. Raises `IndexError` where an id is none of the vocabulary's."""
        bounds, data = self._taken(ids)
        return Decoded(data.slice(0, int(bounds[-1])).to_pybytes(), bounds)

    def _taken(self, ids: Ids) -> tuple[Bounds, pa.Buffer]:
        picked = self.tokens.take(pa.Array.from_buffers(pa.int32(), len(ids), [None, pa.py_buffer(ids)]))
        _, bounds, data = picked.buffers()
        return np.frombuffer(bounds, np.int32, len(ids) + 1), data or pa.py_buffer(b"")


def nfc(text: str) -> bytes:
    """The NFC form, which is what Qwen's tokenizers give back, as UTF-8.

    Normalising is slow, so only lines that need it are. That is exact: a `<` composes with nothing
    before it, and a newline with nothing at all.
    """
    return _nfc(text, _INERT).encode()


def nfc_utf8(data: bytes) -> bytes:
    """The same of a text in UTF-8: `data` itself where it is in NFC already, and long ones in parts."""
    if data.isascii():
        return data
    normal = bytearray()
    for window in windows(data):
        normal += nfc(window.decode())
    return data if normal == data else bytes(normal)


def _nfc(text: str, separators: Sequence[str]) -> str:
    if text.isascii():
        return text
    if not separators:
        return _normalizer().normalize_str(text)
    first, *rest = separators
    return first.join([_nfc(part, rest) for part in text.split(first)])


@lru_cache(maxsize=1)
def _normalizer() -> Normalizer:
    """The tokenizers' own: Python's tables are of another Unicode version with each Python."""
    from tokenizers.normalizers import NFC

    return NFC()


def _in_order(vocab: Mapping[str, int], added: Mapping[int, str]) -> list[str]:
    """All tokens by id, in byte-level spelling; an id that no token has spells nothing."""
    chars = byte_chars()
    spelled = [""] * (1 + max(*vocab.values(), *added))
    for token, number in vocab.items():
        spelled[number] = token
    for number, content in added.items():
        spelled[number] = "".join(chars[byte] for byte in content.encode())
    return spelled


def _as_bytes(spelled: list[str]) -> pa.BinaryArray:
    """Byte-level spellings back to bytes: one character is one byte, so lengths stay."""
    byte_of = {ord(char): byte for byte, char in byte_chars().items()}
    data = "".join(spelled).translate(byte_of).encode("latin-1")
    offsets = np.zeros(len(spelled) + 1, np.int32)
    np.cumsum([len(token) for token in spelled], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(spelled), buffers)
