"""Memory that is free, given back to the system."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Asks the C library to keep no free memory; without effect where it has no such call (glibc has it).

    To be called after something large is gone, as what was parsed to load a tokenizer: 100 MB else stay.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
