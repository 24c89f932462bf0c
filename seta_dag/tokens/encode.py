"""R8: from pieces to token ids. Markup is one special token; each gap of text is encoded whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import orjson

from seta_dag.tokens.markup import LITERAL

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
EngineName = Literal["fastokens", "hf"]


class Encoded(NamedTuple):
    """Texts encoded together: text i has `ids[offsets[i]:offsets[i + 1]]`."""

    ids: Ids
    offsets: Offsets


class Engine(Protocol):
    """A tokenizer engine. All engines give the same ids; a build proves it on a sample."""

    def ordinary(self, texts: Sequence[str]) -> Encoded:
        """Each text as ordinary text, whatever it spells: none of the added tokens is recognised."""

    def whole(self, texts: Sequence[str]) -> Encoded:
        """Each text as a tokenizer reads it by default: every added token is recognised."""


def engine(name: EngineName, tokenizer_json: str) -> Engine:
    """The engine of that name for the text of a `tokenizer.json`."""
    return Fastokens(tokenizer_json) if name == "fastokens" else HuggingFace(tokenizer_json)


class Fastokens:
    """The fast engine (Crusoe's fastokens), exact on every document measured."""

    def __init__(self, tokenizer_json: str) -> None:
        from fastokens._native import Tokenizer

        self._tokenizer = Tokenizer.from_json_str(tokenizer_json)

    def whole(self, texts: Sequence[str]) -> Encoded:
        ids, offsets = self._tokenizer.encode_batch_flat(list(texts))
        return Encoded(np.frombuffer(ids, np.int32), np.frombuffer(offsets, np.int64))

    def ordinary(self, texts: Sequence[str]) -> Encoded:
        # The batch call always recognises added tokens, so texts that spell one go one by one.
        literal = {i: text for i, text in enumerate(texts) if LITERAL.search(text)}
        encoded = self.whole(["" if i in literal else text for i, text in enumerate(texts)])
        if not literal:
            return encoded
        parts = np.split(encoded.ids, encoded.offsets[1:-1])
        for i, text in literal.items():
            parts[i] = np.asarray(self._tokenizer.encode_ordinary(text).ids, np.int32)
        return joined(parts)


class HuggingFace:
    """The reference engine (HF tokenizers): slower, and what the fast one is held against."""

    def __init__(self, tokenizer_json: str) -> None:
        self._json = tokenizer_json

    @cached_property
    def _recognising(self) -> Tokenizer:
        return _hf_tokenizer(self._json)

    @cached_property
    def _plain(self) -> Tokenizer:
        return _hf_tokenizer(orjson.dumps({**orjson.loads(self._json), "added_tokens": []}).decode())

    def whole(self, texts: Sequence[str]) -> Encoded:
        return _encode(self._recognising, texts)

    def ordinary(self, texts: Sequence[str]) -> Encoded:
        return _encode(self._plain, texts)


def _hf_tokenizer(tokenizer_json: str) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(tokenizer_json)


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Encoded:
    batch = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return joined([np.asarray(one.ids, np.int32) for one in batch])


def joined(parts: Sequence[Ids]) -> Encoded:
    """Separately encoded texts as one flat buffer."""
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return Encoded(np.concatenate(parts) if parts else np.zeros(0, np.int32), offsets)
