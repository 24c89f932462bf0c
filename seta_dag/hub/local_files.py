"""The files of a dataset on disk that are published, with the names the Hub knows their content by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seta_dag.errors import DatasetError

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the dataset with the two names that the Hub can know it by."""

    path: Path
    size: int
    sha256: str
    git_sha1: str


def read_folder(folder: Path) -> dict[str, LocalFile]:
    """The card and the shards of a dataset on disk, by their paths in the repository.

    Raises `DatasetError` where one is missing, or where shards of two builds lie side by side.
    """
    paths = [folder / CARD, *sorted(folder.glob("data/train-*.parquet"))]
    names = [path.relative_to(folder).as_posix() for path in paths]
    expected = [f"data/train-{i:05}-of-{len(paths) - 1:05}.parquet" for i in range(len(paths) - 1)]
    if names[1:] != expected or not expected or not paths[0].is_file():
        raise DatasetError(
            f"{folder}: not a whole dataset (README.md and data/train-*.parquet); build it first"
        )
    return {name: _local_file(path) for name, path in zip(names, paths, strict=True)}


def _local_file(path: Path) -> LocalFile:
    size = path.stat().st_size
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            sha256.update(block)
            sha1.update(block)
    return LocalFile(path, size, sha256.hexdigest(), sha1.hexdigest())


def content_of(files: Mapping[str, LocalFile]) -> str:
    """sha256 of the files' paths and sums."""
    listing = json.dumps(sorted((name, file.sha256) for name, file in files.items()))
    return hashlib.sha256(listing.encode()).hexdigest()
