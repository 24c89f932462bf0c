"""R8: from pieces to token ids. Markup is one special token; each gap of text is encoded as a whole."""

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
_REMEMBERED = 1_000_000  # characters of the longest text that is worth its memory
EngineName = Literal["fastokens", "hf"]


class Encoded(NamedTuple):
    """Texts encoded together: text i has `ids[offsets[i]:offsets[i + 1]]`."""

    ids: Ids
    offsets: Offsets

    def parts(self) -> list[Ids]:
        """The ids of each text."""
        bounds = self.offsets.tolist()
        return [self.ids[start:end] for start, end in pairwise(bounds)]


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
        if not LITERAL.search("\0".join(texts)):
            return self.whole(texts)
        literal = {i: text for i, text in enumerate(texts) if LITERAL.search(text)}
        parts = self.whole(["" if i in literal else text for i, text in enumerate(texts)]).parts()
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


Known = dict[str, Ids]
"""Ordinary texts and the ids that an engine made of them."""


class Remembering:
    """An engine that encodes an ordinary text once, and then knows it; long ones are not kept."""

    def __init__(self, engine: Engine, known: Known) -> None:
        self._engine, self._known = engine, known

    def whole(self, texts: Sequence[str]) -> Encoded:
        return self._engine.whole(texts)

    def ordinary(self, texts: Sequence[str]) -> Encoded:
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        made = dict(zip(fresh, self._engine.ordinary(fresh).parts(), strict=True))
        found = [made[text] if text in made else self._known[text] for text in texts]
        self._known.update({text: part for text, part in made.items() if len(text) <= _REMEMBERED})
        return joined(found)


def _hf_tokenizer(tokenizer_json: str) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(tokenizer_json)


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Encoded:
    batch = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return joined([np.asarray(one.ids, np.int32) for one in batch])


def encode_gaps(engine: Engine, gaps: Sequence[bytes]) -> Encoded:
    """The ids of ordinary texts given as UTF-8, in one call; what is long in many, window by window, since an
    engine takes several times its text in memory."""
    if sum(map(len, gaps)) <= WINDOW:
        return engine.ordinary([gap.decode() for gap in gaps])
    ids, offsets = bytearray(), [0]
    for gap in gaps:
        for window in windows(gap):
            ids += engine.ordinary([window.decode()]).ids.tobytes()
        offsets.append(len(ids) // 4)
    return Encoded(np.frombuffer(ids, np.int32), np.array(offsets, np.int64))


def joined(parts: Sequence[Ids]) -> Encoded:
    """Separately encoded texts as one flat buffer."""
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return Encoded(np.concatenate(parts) if parts else np.zeros(0, np.int32), offsets)
