"""Where files are kept that save time, on this machine and for this user."""

from __future__ import annotations

import os
import stat
import tempfile
from functools import lru_cache
from pathlib import Path


def user_cache() -> Path:
    """Return the folder for what can be made again: in the user's cache, below XDG_CACHE_HOME or HOME.

    If that cannot be written to, as in many containers, it is a folder of this user's among temporary files.
    """
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seta_dag"
        _try_to_write(cache)
    except (OSError, RuntimeError):  # RuntimeError: no HOME, and no user of this number
        return _temporary_cache()
    return cache


@lru_cache(maxsize=8)
def _try_to_write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):  # a mode does not say that the file system is read-only
        pass


def _temporary_cache() -> Path:
    """Return a folder that the other processes of this user find too, and that nobody else can write to."""
    folder = Path(tempfile.gettempdir()) / f"seta_dag-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if stat.S_ISDIR(owner.st_mode) and owner.st_uid == os.getuid() and not owner.st_mode & 0o022:
        return folder
    # Somebody else has made it, who could put other files there.
    return _own_folder()


@lru_cache(maxsize=1)
def _own_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="seta_dag-"))
