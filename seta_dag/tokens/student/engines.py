"""Encode text with one of two tokenizer engines (rule R8, docs/rules.md).

Markup becomes one special token each. Every gap of ordinary text between two of them is encoded on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import orjson

from seta_dag.tokens.renderers.markup import LITERAL
from seta_dag.tokens.student.windows import WINDOW, windows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
EngineName = Literal["fastokens", "hf"]


class Encoded(NamedTuple):
    """Several encoded texts: text i is `ids[offsets[i]:offsets[i + 1]]`."""

    ids: Ids
    """Token ids of all texts, one after the other."""
    offsets: Offsets
    """One more than there are texts; the first is 0."""

    def parts(self) -> list[Ids]:
        """Return the ids of each text, as views."""
        bounds = self.offsets.tolist()
        return [self.ids[start:end] for start, end in pairwise(bounds)]


class Engine(Protocol):
    """A tokenizer engine.

    All engines give the same ids, which a build checks on a sample of the rows.
    """

    def encode_ordinary(self, texts: Sequence[str]) -> Encoded:
        """Encode each text as ordinary text: added tokens are not recognized in it."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode each text as tokenizers do by default: recognize added tokens."""


def engine(name: EngineName, tokenizer_json: str) -> Engine:
    """Load the text of a `tokenizer.json` into the engine with this name."""
    return Fastokens(tokenizer_json) if name == "fastokens" else HuggingFace(tokenizer_json)


class Fastokens:
    """The default engine (Crusoe's fastokens)."""

    def __init__(self, tokenizer_json: str) -> None:
        from fastokens._native import Tokenizer

        self._tokenizer = Tokenizer.from_json_str(tokenizer_json)

    def encode(self, texts: Sequence[str]) -> Encoded:
        # The flat call returns two buffers instead of a Python object per token.
        ids, offsets = self._tokenizer.encode_batch_flat(list(texts))
        return Encoded(np.frombuffer(ids, np.int32), np.frombuffer(offsets, np.int64))

    def encode_ordinary(self, texts: Sequence[str]) -> Encoded:
        # The batch call always recognizes added tokens, so texts that spell one are encoded one by one.
        if not LITERAL.search("\0".join(texts)):
            return self.encode(texts)
        literal = {i: text for i, text in enumerate(texts) if LITERAL.search(text)}
        # An empty text holds the place of each in the batch, so that the positions stay the same.
        parts = self.encode(["" if i in literal else text for i, text in enumerate(texts)]).parts()
        for i, text in literal.items():
            parts[i] = np.asarray(self._tokenizer.encode_ordinary(text).ids, np.int32)
        return concat(parts)


class HuggingFace:
    """The reference engine (Hugging Face tokenizers), slower than the default."""

    def __init__(self, tokenizer_json: str) -> None:
        self._json = tokenizer_json  # kept as text: neither tokenizer is loaded before it is used

    # Two tokenizers, each loaded on first use: checking rows needs only the one without added tokens.
    @cached_property
    def _with_added_tokens(self) -> Tokenizer:
        return _hf_tokenizer(self._json)

    @cached_property
    def _without_added_tokens(self) -> Tokenizer:
        return _hf_tokenizer(orjson.dumps({**orjson.loads(self._json), "added_tokens": []}).decode())

    def encode(self, texts: Sequence[str]) -> Encoded:
        return _encode(self._with_added_tokens, texts)

    def encode_ordinary(self, texts: Sequence[str]) -> Encoded:
        return _encode(self._without_added_tokens, texts)


def _hf_tokenizer(tokenizer_json: str) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(tokenizer_json)


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Encoded:
    batch = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return concat([np.asarray(one.ids, np.int32) for one in batch])


def encode_gaps(engine: Engine, gaps: Sequence[bytes]) -> Encoded:
    """Encode ordinary texts, given in UTF-8.

    They are encoded in one call, unless they are long: an engine needs several times the memory of its
    text, so long texts are encoded window by window, with the same result.
    """
    if sum(map(len, gaps)) <= WINDOW:
        return engine.encode_ordinary([gap.decode() for gap in gaps])
    ids, offsets = bytearray(), [0]
    for gap in gaps:
        for window in windows(gap):
            ids += engine.encode_ordinary([window.decode()]).ids.tobytes()
        offsets.append(len(ids) // 4)  # an id is 4 bytes
    return Encoded(np.frombuffer(ids, np.int32), np.array(offsets, np.int64))


def concat(parts: Sequence[Ids]) -> Encoded:
    """Concatenate the ids of texts that were encoded one by one."""
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return Encoded(np.concatenate(parts) if parts else np.zeros(0, np.int32), offsets)
