"""Where two things that must be the same differ first, said in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seta_dag.tokens.student.vocabulary import Decoded

Array = npt.NDArray[Any]
_BYTES_SHOWN = 24


def _first_difference(ours: Array, other: Array) -> int:
    """The first place where they differ; where the shorter ends, at the latest."""
    shorter = min(len(ours), len(other))
    different = np.flatnonzero(ours[:shorter] != other[:shorter])
    return int(different[0]) if len(different) else shorter


def decodes(meant: bytes, decoded: Decoded) -> str | None:
    """The bytes of the ids, joined, are the NFC form of the text."""
    if decoded.data is meant or decoded.data == meant:
        return None
    at = _first_difference(np.frombuffer(decoded.data, np.uint8), np.frombuffer(meant, np.uint8))
    token = int(np.searchsorted(decoded.offsets, at, "right")) - 1
    return f"decodes: token {token} on, the ids read {_shown(decoded.data, at)}, the text {_shown(meant, at)}"


def differ(what: str, ours: Array, proved: Array, start: int = 0) -> str | None:
    """None where the row's ids or mask are the proof's, else the first token where they are not.

    `start` is the place in the row of the first of them.
    """
    if np.array_equal(ours, proved):
        return None
    at = _first_difference(ours, proved)
    read, wanted = (str(one[at]) if at < len(one) else "missing" for one in (ours, proved))
    return f"{what} of token {start + at} is {read}, by the proof {wanted}"


def differ_in(what: str, ours: Sequence[bytes], logged: Sequence[bytes]) -> str | None:
    """None where the row's parts are the conversation's, else which is the first that is not."""
    if len(ours) != len(logged):
        return f"{what}: {len(ours)} in the row, {len(logged)} in the conversation"
    for number, (read, wanted) in enumerate(zip(ours, logged, strict=True), 1):
        if read != wanted:
            at = _first_difference(np.frombuffer(read, np.uint8), np.frombuffer(wanted, np.uint8))
            return (
                f"{what}: number {number} reads {_shown(read, at)}, the conversation has {_shown(wanted, at)}"
            )
    return None


def _shown(text: bytes, at: int) -> str:
    """A few bytes from that place on."""
    return repr(text[at : at + _BYTES_SHOWN])
