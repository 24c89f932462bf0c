"""Files of a student: download, checksum, and where derived ones are kept."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from functools import lru_cache
from pathlib import Path

from seta_dag.errors import StudentError


def download(repo_id: str) -> Path:
    """Return the folder of a student's files from the Hub, or from its cache.

    Raises:
        StudentError: There is no such student on the Hub, or the Hub cannot be reached.
    """
    from huggingface_hub import snapshot_download

    files = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
    try:
        return Path(snapshot_download(repo_id, allow_patterns=files))
    except Exception as error:  # network, access, name: the Hub client has many types for it
        raise StudentError(
            f"student {repo_id}: not a folder, and not available on the Hub; "
            "check the name and the network, or use a folder with tokenizer.json and its chat template"
        ) from error


def cache_folder(tokenizer_sha256: str) -> Path:
    """Return the folder in the user's cache for what is derived from the tokenizer with this checksum.

    If that cannot be written to, as in many containers, it is in a folder of this user's among the
    temporary files.
    """
    return _cache() / tokenizer_sha256[:16]


def _cache() -> Path:
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


def sha256(path: Path) -> str:
    """Return the sha256 of a file; cached while its size and time are the same."""
    info = path.stat()
    return _sha256_of(path, info.st_size, info.st_mtime_ns)


# A build asks a dozen times for the checksum of 11 MB; size and time say if it can have changed.
@lru_cache(maxsize=8)
def _sha256_of(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
