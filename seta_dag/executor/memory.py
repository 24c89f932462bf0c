"""How memory is had from the system, and given back to it."""

from __future__ import annotations

import ctypes
import os


def use_one_pool() -> None:
    """Lets Arrow take its memory where Python and numpy take theirs, if it is not loaded yet.

    Its own pool keeps what it was given: a third more at the peak of a build, and page faults cost time.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def give_back() -> None:
    """Asks the C library to keep no free memory; without effect where it has no such call (glibc has it).

    To be called after something large is gone, as what was parsed to load a tokenizer: 100 MB else stay.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
