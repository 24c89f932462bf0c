"""Describe the first difference between two things that must be equal.

The sentences become the `detail` of a trial that is dropped as `not_exact`. Each starts with the name of
the proof that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seta_dag.tokens.student.vocabulary import Decoded

Array = npt.NDArray[Any]
_BYTES_SHOWN = 24


def _first_difference(ours: Array, other: Array) -> int:
    """Return the first index at which they differ, or the shorter length."""
    shorter = min(len(ours), len(other))
    different = np.flatnonzero(ours[:shorter] != other[:shorter])
    return int(different[0]) if len(different) else shorter


def compare_decoded(expected: bytes, decoded: Decoded) -> str | None:
    """Return None if the ids decode to `expected`, else the first difference."""
    # `decode_expected` returns the very object if the bytes are equal, which saves comparing them again.
    if decoded.data is expected or decoded.data == expected:
        return None
    # The token that contains the first wrong byte.
    at = _first_difference(np.frombuffer(decoded.data, np.uint8), np.frombuffer(expected, np.uint8))
    token = int(np.searchsorted(decoded.offsets, at, "right")) - 1
    read, wanted = _shown(decoded.data, at), _shown(expected, at)
    return f"decodes: token {token} on, the ids decode to {read} instead of {wanted}"


def compare_arrays(name: str, ours: Array, expected: Array, first: int = 0) -> str | None:
    """Return None if ids or masks are equal, else the first difference.

    `name` is what is compared. `first` is the index in the row of the first element of both arrays.
    """
    if np.array_equal(ours, expected):
        return None
    at = _first_difference(ours, expected)
    read, wanted = (str(one[at]) if at < len(one) else "missing" for one in (ours, expected))
    return f"{name} of token {first + at} is {read}, expected: {wanted}"


def compare_texts(name: str, ours: Sequence[bytes], expected: Sequence[bytes]) -> str | None:
    """Return None if texts of row and conversation are equal, else a difference."""
    if len(ours) != len(expected):
        return f"{name}: {len(ours)} in the row, {len(expected)} in the conversation"
    for number, (read, wanted) in enumerate(zip(ours, expected, strict=True), 1):
        if read != wanted:
            at = _first_difference(np.frombuffer(read, np.uint8), np.frombuffer(wanted, np.uint8))
            in_row, logged = _shown(read, at), _shown(wanted, at)
            return f"{name}: number {number} has {in_row} in the row, {logged} in the conversation"
    return None


def _shown(text: bytes, start: int) -> str:
    """Return a few bytes from `start` on, as a Python literal."""
    return repr(text[start : start + _BYTES_SHOWN])
