"""How memory is had from the system, and given back to it."""

from __future__ import annotations

import ctypes

import pyarrow as pa


def use_one_pool() -> None:
    """Lets Arrow take its memory where Python and numpy take theirs.

    Its own pool keeps what it was given: a third more at the peak of a build, which costs time too.
    """
    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Asks the C library to keep no free memory; without effect where it has no such call (glibc has it).

    To be called after something large is gone, as what was parsed to load a tokenizer: 100 MB else stay.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
