"""The published files of a dataset on disk, with the hashes by which the Hub knows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seta_dag.dataset.shards.layout import SHARD_GLOB, shard_names, shard_paths
from seta_dag.errors import DatasetError

CARD = "README.md"
_BLOCK = 1 << 20  # bytes; a shard need not fit in memory


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the dataset and both hashes that the Hub may have for it.

    Attributes:
        path: where the file is on disk.
        size: in bytes.
        sha256: hex digest of the content; identifies files in LFS.
        git_sha1: hex digest of the git blob; identifies files that are stored in git itself.
    """

    path: Path
    size: int
    sha256: str
    git_sha1: str


def read_folder(folder: Path) -> dict[str, LocalFile]:
    """Return the card and all shards of a dataset on disk, keyed by path in the repository.

    Raises:
        DatasetError: if the card or a shard is missing, or if there are shards of more than one build.
    """
    paths = [folder / CARD, *shard_paths(folder)]
    names = [path.relative_to(folder).as_posix() for path in paths]
    # A shard's name contains the number of shards, so leftovers of another build never match.
    expected = shard_names(len(paths) - 1)
    if names[1:] != expected or not expected or not paths[0].is_file():
        raise DatasetError(
            f"{folder}: not a complete dataset (README.md and {SHARD_GLOB} of one build); build it first"
        )
    return {name: _local_file(path) for name, path in zip(names, paths, strict=True)}


def _local_file(path: Path) -> LocalFile:
    size = path.stat().st_size
    # Git hashes a header and the content. Both hashes are computed in the same pass over the file.
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            sha1.update(block)
    return LocalFile(path, size, sha256.hexdigest(), sha1.hexdigest())


def content_of(files: Mapping[str, LocalFile]) -> str:
    """Return the sha256 of all paths and file hashes; equal datasets give equal digests."""
    listing = json.dumps(sorted((name, file.sha256) for name, file in files.items()))
    return hashlib.sha256(listing.encode()).hexdigest()
