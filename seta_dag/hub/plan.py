"""What a publish would change: the files on disk against those of the repository's head."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seta_dag.errors import DatasetError, PublishError
from seta_dag.hub.client import Target, one_sentence, patiently

CARD = "README.md"
_SHARD = re.compile(r"data/train-(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet")
_OURS = re.compile(r"data/train-.*\.parquet")
"""Remote files that `load_dataset` would read beside our shards, so that stale ones must go."""

Kind = Literal["added", "changed", "deleted"]


@dataclass(frozen=True, slots=True)
class Change:
    """One file of the commit; `size` in bytes, of a deleted file what it had."""

    path: str
    kind: Kind
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of one commit on top of `head`, the oid read (None: the repository is to be created).

    `content` is the sha256 of the whole dataset on disk: equal content, equal name, on any machine.
    """

    head: str | None
    changes: tuple[Change, ...]
    content: str

    def sizes(self, kind: Kind) -> dict[str, int]:
        """The files of one kind of change, with their sizes in bytes."""
        return {change.path: change.size for change in self.changes if change.kind == kind}

    @property
    def bytes_to_upload(self) -> int:
        """Bytes of all files added or changed; Xet storage sends less where it knows parts of them."""
        return sum(change.size for change in self.changes if change.kind != "deleted")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the dataset with the two names that the Hub can know it by."""

    path: Path
    size: int
    sha256: str
    git_sha1: str


def plan_publish(folder: Path, target: Target) -> Plan:
    """The changes that publishing `folder` would make to the head of the repository's main branch.

    Reads only. Raises `DatasetError` where the folder is no whole dataset, and `PublishError`.
    """
    return plan_for(read_folder(folder), target)


def plan_for(files: Mapping[str, LocalFile], target: Target) -> Plan:
    """`plan_publish` of a folder that was read already."""
    with one_sentence(target):
        head, private = patiently(lambda: _head(target))
        if target.private and head is not None and not private:
            raise PublishError(
                f"{target.repo_id} was not published: it exists and is public; "
                "make it private on its page, or publish without --private"
            )
        changes = changes_against(head, files, target) if head else _additions(files)
    return Plan(head, changes, content_of(files))


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


def _head(target: Target) -> tuple[str | None, bool]:
    """(oid of the main branch's head, whether the repository is private); no oid, no repository."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info = target.api.dataset_info(target.repo_id)
    except RepositoryNotFoundError:
        return None, False
    return info.sha, bool(info.private)


def _additions(files: Mapping[str, LocalFile]) -> tuple[Change, ...]:
    return tuple(Change(name, "added", file.size) for name, file in sorted(files.items()))


def changes_against(revision: str, files: Mapping[str, LocalFile], target: Target) -> tuple[Change, ...]:
    """How the dataset at `revision` (a branch, tag, oid) differs from the files on disk, by path."""
    remote = _remote_files(revision, target)
    changes = [Change(name, "deleted", size) for name, (size, _) in remote.items() if name not in files]
    for name, file in files.items():
        if name not in remote:
            changes.append(Change(name, "added", file.size))
        elif remote[name][1] not in (file.sha256, file.git_sha1):
            changes.append(Change(name, "changed", file.size))
    return tuple(sorted(changes, key=lambda change: change.path))


def _remote_files(revision: str, target: Target) -> dict[str, tuple[int, str]]:
    """(size, sha256 in LFS or sha1 in git) of the card and the shards at `revision`."""
    from huggingface_hub.hf_api import RepoFile

    tree = target.api.list_repo_tree(target.repo_id, recursive=True, revision=revision, repo_type="dataset")
    files = [node for node in tree if isinstance(node, RepoFile)]
    return {
        file.path: (file.size, file.lfs.sha256 if file.lfs else file.blob_id)
        for file in files
        if file.path == CARD or _OURS.fullmatch(file.path)
    }
