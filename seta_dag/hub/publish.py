"""Publish a dataset in one commit: the card, the shards and the removal of stale shards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seta_dag.hub.client import Target, publish_errors, with_retries
from seta_dag.hub.local_files import LocalFile, content_of, read_folder
from seta_dag.hub.plan import Change, Plan, changes_against, plan_for
from seta_dag.hub.tags import add_tag, tag_exists

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    Operation = CommitOperationAdd | CommitOperationDelete

Files = dict[str, LocalFile]


@dataclass(frozen=True, slots=True)
class Published:
    """Result of a publish.

    Attributes:
        commit: oid of the new commit; None if there was nothing to commit.
        url: page of the commit or pull request; without a new commit, of the open pull request that has the
            same files, else of the repository.
        changes: the files of the commit, sorted by path; empty without one.
        bytes_uploaded: total size of the added and changed files; Xet storage may transfer less.
        tag: name of the tag that the content has; None if no tag was requested.
    """

    commit: str | None
    url: str
    changes: tuple[Change, ...]
    bytes_uploaded: int
    tag: str | None


def publish(folder: Path, target: Target) -> Published:
    """Publish the dataset in `folder` in one commit, or none if the Hub has the same content.

    Raises:
        DatasetError: if `folder` is not a complete dataset.
        PublishError: if it could not be published. At most an empty repository was created then. If only
            the tag failed, the commit is published and the message says so.
    """
    files = read_folder(folder)
    tag = f"content-{content_of(files)[:12]}" if target.tag == "auto" else target.tag
    with publish_errors(target):
        _require_token()
        plan = plan_for(files, target)
        if plan.head and tag:
            tag_exists(tag, files, target)  # a tag of other content is refused before the upload
        published = _publish(files, plan, target, tag)
    if tag and (oid := published.commit or plan.head):
        add_tag(tag, oid, files, target)
    return published


def _publish(files: Files, plan: Plan, target: Target, tag: str | None) -> Published:
    opened = _open_pull_request(files, target) if plan.head else None
    if opened or not plan.changes:
        return Published(None, opened[1] if opened else target.url, (), 0, tag)
    oid, url = with_retries(lambda: _commit(files, target))
    return Published(oid, url, plan.changes, plan.bytes_to_upload, tag)


def _commit(files: Files, target: Target) -> tuple[str, str]:
    """Return (oid, url) of the commit that contains `files`; create it unless it exists.

    Every attempt compares with the head as it is now. After a race, the commit is therefore based on the
    other one. If the answer to an earlier attempt was lost, its commit or pull request is found here.
    """
    plan = plan_for(files, target)
    if plan.head and not plan.changes:
        return plan.head, f"{target.url}/commit/{plan.head}"
    if plan.head and (opened := _open_pull_request(files, target)):
        return opened
    return _create_commit(files, plan, target)


def _create_commit(files: Files, plan: Plan, target: Target) -> tuple[str, str]:
    head, operations = plan.head or _create_repository(target), _operations(files, plan)
    _upload(operations, target)
    commit = target.api.create_commit(
        target.repo_id,
        operations,
        commit_message=f"Publish dataset {plan.content[:12]}",
        repo_type="dataset",
        create_pr=target.pull_request,
        # The Hub answers 412 if the branch has moved, so nobody's commit is overwritten.
        parent_commit=head,
    )
    return commit.oid, commit.pr_url or commit.commit_url


def _operations(files: Files, plan: Plan) -> list[Operation]:
    """Return new operations for one attempt; the client refuses to use an operation twice."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    return [
        CommitOperationDelete(change.path)
        if change.kind == "deleted"
        else CommitOperationAdd(change.path, str(files[change.path].path))
        for change in plan.changes
    ]


def _upload(operations: list[Operation], target: Target) -> None:
    """Upload the content of the shards before the commit.

    The client retries these requests itself. Its failure becomes a `PublishError` at once, so that
    `with_retries` does not repeat them all.
    """
    from huggingface_hub import CommitOperationAdd

    additions = [operation for operation in operations if isinstance(operation, CommitOperationAdd)]
    with publish_errors(target):
        target.api.preupload_lfs_files(
            target.repo_id,
            additions,
            repo_type="dataset",
            create_pr=target.pull_request,
            free_memory=False,
        )


def _create_repository(target: Target) -> str | None:
    """Create the repository and return the oid of its first commit, which the Hub makes."""
    # None, not False: without `private`, the organisation's own default decides.
    target.api.create_repo(target.repo_id, private=target.private or None, repo_type="dataset", exist_ok=True)
    return target.api.dataset_info(target.repo_id).sha


def _open_pull_request(files: Files, target: Target) -> tuple[str, str] | None:
    """Return (oid, url) of an open pull request with exactly `files`.

    None if there is no such pull request, or if `target` is not to be published as one.
    """
    if not target.pull_request:
        return None
    requests = target.api.get_repo_discussions(
        target.repo_id, discussion_type="pull_request", discussion_status="open", repo_type="dataset"
    )
    for number in [request.num for request in requests]:
        revision = f"refs/pr/{number}"
        if not changes_against(revision, files, target):
            oid = target.api.dataset_info(target.repo_id, revision=revision).sha
            return oid or revision, f"{target.url}/discussions/{number}"
    return None


def _require_token() -> None:
    """Raise before the first request; without a token, only the upload would fail."""
    from huggingface_hub import get_token
    from huggingface_hub.errors import LocalTokenNotFoundError

    if get_token() is None:
        raise LocalTokenNotFoundError
