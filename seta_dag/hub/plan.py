"""What a publish would change: the files on disk against those of the repository's head."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seta_dag.errors import PublishError
from seta_dag.hub.client import Target, one_sentence, patiently
from seta_dag.hub.local_files import CARD, LocalFile, content_of, read_folder

_OURS = re.compile(r"data/train-.*\.parquet")
"""Remote files that `load_dataset` would read beside our shards, so that stale ones must go."""

ChangeKind = Literal["added", "changed", "deleted"]


@dataclass(frozen=True, slots=True)
class Change:
    """One file of the commit; `size` in bytes, of a deleted file what it had."""

    path: str
    kind: ChangeKind
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of one commit on top of `head`, the oid read (None: the repository is to be created).

    `content` is the sha256 of the whole dataset on disk: equal content, equal name, on any machine.
    """

    head: str | None
    changes: tuple[Change, ...]
    content: str

    def sizes(self, kind: ChangeKind) -> dict[str, int]:
        """The files of one kind of change, with their sizes in bytes."""
        return {change.path: change.size for change in self.changes if change.kind == kind}

    @property
    def bytes_to_upload(self) -> int:
        """Bytes of all files added or changed; Xet storage sends less where it knows parts of them."""
        return sum(change.size for change in self.changes if change.kind != "deleted")


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
