"""A dataset to the Hub in one commit: the card, the shards and the removal of stale shards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seta_dag.hub.client import Target, one_sentence, patiently
from seta_dag.hub.local_files import LocalFile, content_of, read_folder
from seta_dag.hub.plan import Change, Plan, changes_against, plan_for
from seta_dag.hub.tags import add_tag, tag_exists

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    Operation = CommitOperationAdd | CommitOperationDelete

Files = dict[str, LocalFile]


@dataclass(frozen=True, slots=True)
class Published:
    """What stands on the Hub now. `commit` is the oid made, None where nothing had changed.

    `url` is the commit's page, or the pull request's, or the repository's where nothing had changed.
    `bytes_uploaded` counts whole files; Xet storage sends less where it knows parts of them.
    """

    commit: str | None
    url: str
    changes: tuple[Change, ...]
    bytes_uploaded: int
    tag: str | None


def publish(folder: Path, target: Target) -> Published:
    """Publishes the dataset in `folder` in one commit, or in none where the Hub holds it already.

    Raises `DatasetError`, and `PublishError` with nothing published: at most an empty repository was
    created, or the commit stands and only its tag does not, and then the message says so.
    """
    files = read_folder(folder)
    tag = f"content-{content_of(files)[:12]}" if target.tag == "auto" else target.tag
    with one_sentence(target):
        _require_token()
        plan = plan_for(files, target)
        if plan.head and tag:
            tag_exists(tag, files, target)
        published = _publish(files, plan, target, tag)
    if tag and (oid := published.commit or plan.head):
        add_tag(tag, oid, files, target)
    return published


def _publish(files: Files, plan: Plan, target: Target, tag: str | None) -> Published:
    open_already = _open_pull_request(files, target) if plan.head else None
    if open_already or not plan.changes:
        return Published(None, open_already[1] if open_already else target.url, (), 0, tag)
    oid, url = patiently(lambda: _commit(files, target))
    return Published(oid, url, plan.changes, plan.bytes_to_upload, tag)


def _commit(files: Files, target: Target) -> tuple[str, str]:
    """(oid, url) of the one commit that brings `files`.

    Each attempt reads the head anew. So a race with another commit ends on top of that commit, and an
    answer that was lost after our commit is found to have been made.
    """
    plan = plan_for(files, target)
    if plan.head and not plan.changes:
        return plan.head, f"{target.url}/commit/{plan.head}"
    if plan.head and (standing := _open_pull_request(files, target)):
        return standing
    return _send(files, plan, target)


def _send(files: Files, plan: Plan, target: Target) -> tuple[str, str]:
    head, operations = plan.head or _create(target), _operations(files, plan)
    _upload(operations, target)
    made = target.api.create_commit(
        target.repo_id,
        operations,
        commit_message=f"Publish dataset {plan.content[:12]}",
        repo_type="dataset",
        create_pr=target.pull_request,
        parent_commit=head,
    )
    return made.oid, made.pr_url or made.commit_url


def _operations(files: Files, plan: Plan) -> list[Operation]:
    """Made anew for each attempt: the client refuses to use one twice."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    return [
        CommitOperationDelete(change.path)
        if change.kind == "deleted"
        else CommitOperationAdd(change.path, str(files[change.path].path))
        for change in plan.changes
    ]


def _upload(operations: list[Operation], target: Target) -> None:
    """Sends the shards' content ahead. The client repeats these requests, so its failure is final."""
    from huggingface_hub import CommitOperationAdd

    additions = [operation for operation in operations if isinstance(operation, CommitOperationAdd)]
    with one_sentence(target):
        target.api.preupload_lfs_files(
            target.repo_id,
            additions,
            repo_type="dataset",
            create_pr=target.pull_request,
            free_memory=False,
        )


def _create(target: Target) -> str | None:
    """Creates the repository; returns the oid of the head that the Hub gives it.

    Without `private` the organisation's own default decides.
    """
    target.api.create_repo(target.repo_id, private=target.private or None, repo_type="dataset", exist_ok=True)
    return target.api.dataset_info(target.repo_id).sha


def _open_pull_request(files: Files, target: Target) -> tuple[str, str] | None:
    """(oid, url) of an open pull request that holds exactly `files`, where one was asked for."""
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
    from huggingface_hub import get_token
    from huggingface_hub.errors import LocalTokenNotFoundError

    if get_token() is None:
        raise LocalTokenNotFoundError
