"""An engine with a cache: the variants of a trial have most texts in common."""

from __future__ import annotations

from collections.abc import Sequence

from seta_dag.tokens.student.engines import Encoded, Engine, Ids, concat

_MAX_CACHED = 1_000_000  # characters; longer texts rarely repeat and would take too much memory

EncodingCache = dict[str, Ids]
"""Token ids of ordinary texts, by text."""


class CachingEngine:
    """An engine that encodes each ordinary text only once.

    After that the ids come from `cache`, which the caller owns. Texts of more than a million characters are
    not cached.
    """

    def __init__(self, engine: Engine, cache: EncodingCache) -> None:
        self._engine, self._cache = engine, cache

    def encode(self, texts: Sequence[str]) -> Encoded:
        return self._engine.encode(texts)

    def encode_ordinary(self, texts: Sequence[str]) -> Encoded:
        # `dict.fromkeys` removes repeated texts and keeps their order.
        missing = [text for text in dict.fromkeys(texts) if text not in self._cache]
        encoded = dict(zip(missing, self._engine.encode_ordinary(missing).parts(), strict=True))
        parts = [encoded[text] if text in encoded else self._cache[text] for text in texts]
        self._cache.update({text: ids for text, ids in encoded.items() if len(text) <= _MAX_CACHED})
        return concat(parts)
