"""Files of a student: download, checksum, and where derived ones are kept."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from seta_dag.errors import StudentError
from seta_dag.store.user_cache import user_cache


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
    """Return the folder in the user's cache for what is derived from the tokenizer with this checksum."""
    return user_cache() / tokenizer_sha256[:16]


def sha256(path: Path) -> str:
    """Return the sha256 of a file; cached while its size and time are the same."""
    info = path.stat()
    return _sha256_of(path, info.st_size, info.st_mtime_ns)


# A build asks a dozen times for the checksum of 11 MB; size and time say if it can have changed.
@lru_cache(maxsize=8)
def _sha256_of(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
