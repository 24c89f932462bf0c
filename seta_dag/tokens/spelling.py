"""Whether ids spell a text, eight bytes of a token at a time: nothing is decoded that need not be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seta_dag.tokens.encode import Ids

Bounds = npt.NDArray[np.int32]
_Words = npt.NDArray[np.uint64]
_AT_ONCE = 1 << 20  # tokens compared in one step
_FIRST: _Words = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
"""Masks that keep the first n of eight bytes, little-endian."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """`lengths[i]` are the bytes of token i, `words[n][i]` the n-th eight of them, zeros after the last.

    `first[i]` keeps of eight bytes those that are of the token.
    """

    lengths: Bounds
    words: tuple[_Words, ...]
    first: _Words

    @classmethod
    def of(cls, data: bytes, bounds: Bounds) -> Spelling:
        """Of a vocabulary: token i is `data[bounds[i]:bounds[i + 1]]`."""
        lengths, first = np.diff(bounds), bounds[:-1].astype(np.int64)
        count = -(-int(lengths.max()) // 8)
        eights = _eights(data, 8 * count)
        last = len(eights) - 1
        words = (
            eights[np.minimum(first + 8 * n, last)] & _FIRST[np.clip(lengths - 8 * n, 0, 8)]
            for n in range(count)
        )
        return cls(lengths, tuple(words), _FIRST[np.minimum(lengths, 8)])

    def bounds(self, ids: Ids) -> Bounds:
        """Where each token begins in the bytes of all of them, and where the last ends.

        Raises `IndexError` where an id is none of the vocabulary's.
        """
        if len(ids) and int(ids.min()) < 0:
            raise IndexError(f"id {ids.min()} is of no token")
        bounds = np.zeros(len(ids) + 1, np.int32)
        np.cumsum(self.lengths.take(ids), out=bounds[1:])
        return bounds

    def spell(self, ids: Ids, bounds: Bounds, text: bytes) -> bool:
        """Whether the bytes of the ids, joined, are `text`; `bounds` are those of the ids."""
        starts = range(0, len(ids), _AT_ONCE)
        return len(text) == bounds[-1] and all(
            self._spell(ids[at : at + _AT_ONCE], bounds[at : at + _AT_ONCE + 1], text) for at in starts
        )

    def _spell(self, ids: Ids, bounds: Bounds, text: bytes) -> bool:
        eights = _eights(text[bounds[0] : bounds[-1]], 8 * len(self.words))
        at, of = bounds[:-1].astype(np.intp), ids.astype(np.intp)  # as numpy looks things up
        at -= at[0]
        mask, left = self.first.take(of), np.diff(bounds)
        for word in self.words:
            unlike = eights.take(at)
            unlike ^= word.take(of)
            unlike &= mask
            if unlike.any():
                return False
            more = np.flatnonzero(left > 8)
            at, of, left = at.take(more) + 8, of.take(more), left.take(more) - 8
            mask = _FIRST.take(np.minimum(left, 8))
        return True


def _eights(data: bytes, padding: int) -> _Words:
    """The eight bytes that begin at each place of `data`, and at `padding` places after it."""
    padded = data + bytes(padding + 8)
    return np.ndarray((len(data) + padding + 1,), "<u8", padded, strides=(1,))
