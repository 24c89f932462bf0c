"""A dataset to the Hub in one commit: the card, the shards and the removal of stale shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seta_dag.errors import PublishError
from seta_dag.hub.client import Target, one_sentence, patiently, status_of
from seta_dag.hub.plan import Change, LocalFile, Plan, changes_against, plan_for, read_folder

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete

    Operation = CommitOperationAdd | CommitOperationDelete

__all__ = ["Published", "Target", "publish"]


@dataclass(frozen=True, slots=True)
class Published:
    """What stands on the Hub now. `commit` is the oid made, None where nothing had changed.

    `url` is the commit's page, or the pull request's, or the repository's where nothing had changed.
    """

    commit: str | None
    url: str
    changes: tuple[Change, ...]
    bytes_uploaded: int
    tag: str | None


def publish(folder: Path, target: Target) -> Published:
    """Publishes the dataset in `folder` in one commit, or in none where the Hub holds it already.

    Each attempt reads the head and what differs from it anew, so a race with another commit and an
    answer that was lost after the commit both end in exactly one commit of ours. Raises `PublishError`
    with nothing published (at most an empty repository was created), and `DatasetError`.
    """
    files = read_folder(folder)
    with one_sentence(target):
        _require_token()
        _require_free_tag(files, target)
        first = plan_for(files, target)
        made = patiently(lambda: _commit(files, first, target)) if first.changes else None
    tag = _tag(files, target, made.oid if made else first.head)
    if made is None:
        return Published(None, target.url, (), 0, tag)
    return Published(made.oid, made.url, first.changes, first.bytes_to_upload, tag)


def _require_token() -> None:
    from huggingface_hub import get_token
    from huggingface_hub.errors import LocalTokenNotFoundError

    if get_token() is None:
        raise LocalTokenNotFoundError
