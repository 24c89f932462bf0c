"""Files without read permission, even if the tests run as root, who may read everything."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_VERSION_3 = 0x20080522  # of the capability calls, see capget(2)
_READS_ALL = 0b110  # the bits of CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


@contextmanager
def unprivileged() -> Iterator[None]:
    """Make file modes apply to root too, in this thread and within the block.

    Skips the test where that is impossible.
    """
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "capset"):
        pytest.skip("root can read everything here, and capabilities cannot be dropped")
    header, sets = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    before = sets[0]  # only the effective set is changed: what stays permitted can be taken back
    sets[0] = before & ~_READS_ALL
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert libc.capset(header, sets) == 0


@contextmanager
def closed(path: Path, mode: int = 0) -> Iterator[None]:
    """Give `path` the mode within the block, and make it apply to root too."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        with unprivileged():
            yield
    finally:
        path.chmod(before)
