"""What a publish would change: the files on disk compared with those on the Hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from seta_dag.dataset.shards.layout import SHARD_GLOB
from seta_dag.errors import PublishError
from seta_dag.hub.client import Target, publish_errors, with_retries
from seta_dag.hub.local_files import CARD, LocalFile, content_of, read_folder

ChangeKind = Literal["added", "changed", "deleted"]


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a commit.

    Attributes:
        path: relative to the repository.
        kind: what the commit does to the file.
        size: in bytes; of a deleted file, the size that it had.
    """

    path: str
    kind: ChangeKind
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes that one commit would make.

    Attributes:
        head: oid of the commit that the files were compared with; None if there is no repository yet.
        changes: sorted by path; empty if the Hub has the same content already.
        content: sha256 of the dataset on disk (see `content_of`), the same on every machine.
    """

    head: str | None
    changes: tuple[Change, ...]
    content: str

    def sizes(self, kind: ChangeKind) -> dict[str, int]:
        """Return the sizes in bytes of the files with one kind of change, keyed by path."""
        return {change.path: change.size for change in self.changes if change.kind == kind}

    @property
    def bytes_to_upload(self) -> int:
        """Total size of all added and changed files; Xet storage transfers only the parts it lacks."""
        return sum(change.size for change in self.changes if change.kind != "deleted")


def plan_publish(folder: Path, target: Target) -> Plan:
    """Compare the dataset in `folder` with the head of the repository's main branch.

    Only reads, on disk and on the Hub.

    Raises:
        DatasetError: if `folder` is not a complete dataset.
        PublishError: if the Hub cannot be reached, or `target` is private and the repository public.
    """
    return plan_for(read_folder(folder), target)


def plan_unseen(folder: Path) -> Plan:
    """Plan the publish of a dataset to a repository that nobody has seen: every file is added."""
    files = read_folder(folder)
    return Plan(None, _additions(files), content_of(files))


def plan_for(files: Mapping[str, LocalFile], target: Target) -> Plan:
    """Plan the publish of files that were read already; see `plan_publish`.

    Raises:
        PublishError: as `plan_publish` does.
    """
    with publish_errors(target):
        head, private = with_retries(lambda: _head(target))
        # Creating with `exist_ok` would silently publish into the public repository.
        if target.private and head is not None and not private:
            raise PublishError(
                f"{target.repo_id} was not published: the repository exists and is public; "
                "make it private on its page, or publish without --private"
            )
        changes = changes_against(head, files, target) if head else _additions(files)
    return Plan(head, changes, content_of(files))


def _head(target: Target) -> tuple[str | None, bool]:
    """Return (oid of the main branch's head, is private), or (None, False) without a repository."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info = target.api.dataset_info(target.repo_id)
    except RepositoryNotFoundError:
        return None, False
    return info.sha, bool(info.private)


def _additions(files: Mapping[str, LocalFile]) -> tuple[Change, ...]:
    return tuple(Change(name, "added", file.size) for name, file in sorted(files.items()))


def changes_against(revision: str, files: Mapping[str, LocalFile], target: Target) -> tuple[Change, ...]:
    """Return how `files` differ from the dataset at `revision`, sorted by path.

    `revision` is a branch, tag, pull request or oid. Remote files other than the card and the shards are
    ignored, so they stay in the repository.
    """
    remote = _remote_files(revision, target)
    changes = [Change(name, "deleted", size) for name, (size, _) in remote.items() if name not in files]
    for name, file in files.items():
        if name not in remote:
            changes.append(Change(name, "added", file.size))
        # Whether a file is in LFS or in git is the Hub's choice, so either hash may be the remote one.
        elif remote[name][1] not in (file.sha256, file.git_sha1):
            changes.append(Change(name, "changed", file.size))
    return tuple(sorted(changes, key=lambda change: change.path))


def _remote_files(revision: str, target: Target) -> dict[str, tuple[int, str]]:
    """Return (size, sha256 for LFS or sha1 for git) of the card and the shards at `revision`."""
    from huggingface_hub.hf_api import RepoFile

    tree = target.api.list_repo_tree(target.repo_id, recursive=True, revision=revision, repo_type="dataset")
    files = [node for node in tree if isinstance(node, RepoFile)]
    # `load_dataset` reads every file that matches, whoever uploaded it, so stale ones have to be deleted.
    return {
        file.path: (file.size, file.lfs.sha256 if file.lfs else file.blob_id)
        for file in files
        if file.path == CARD or fnmatchcase(file.path, SHARD_GLOB)
    }
