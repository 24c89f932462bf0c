"""Where two things that must be the same differ first, said in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_SHOWN = 24


def first_difference(ours: Array, other: Array) -> int:
    """The first place where they differ; where the shorter ends, at the latest."""
    shorter = min(len(ours), len(other))
    different = np.flatnonzero(ours[:shorter] != other[:shorter])
    return int(different[0]) if len(different) else shorter


def differ(what: str, ours: Array, proved: Array) -> str | None:
    """None where the row's ids or mask are the proof's, else the first token where they are not."""
    if np.array_equal(ours, proved):
        return None
    at = first_difference(ours, proved)
    read, wanted = (str(one[at]) if at < len(one) else "missing" for one in (ours, proved))
    return f"{what} of token {at} is {read}, by the proof {wanted}"


def differ_in(what: str, ours: Sequence[bytes], logged: Sequence[bytes]) -> str | None:
    """None where the row's parts are the conversation's, else which is the first that is not."""
    if len(ours) != len(logged):
        return f"{what}: {len(ours)} in the row, {len(logged)} in the conversation"
    for number, (read, wanted) in enumerate(zip(ours, logged, strict=True), 1):
        if read != wanted:
            at = first_difference(np.frombuffer(read, np.uint8), np.frombuffer(wanted, np.uint8))
            return (
                f"{what}: number {number} reads {shown(read, at)}, the conversation has {shown(wanted, at)}"
            )
    return None


def shown(text: bytes, at: int) -> str:
    """A few bytes from that place on."""
    return repr(text[at : at + _SHOWN])
