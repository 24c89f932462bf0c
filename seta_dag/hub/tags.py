"""Tags name content: a tag that exists is never moved to other files."""

from __future__ import annotations

from collections.abc import Mapping

from seta_dag.errors import PublishError
from seta_dag.hub.client import Target, publish_errors, with_retries
from seta_dag.hub.local_files import LocalFile
from seta_dag.hub.plan import changes_against


def tag_exists(tag: str, files: Mapping[str, LocalFile], target: Target) -> bool:
    """Return whether the tag exists, and make sure that it names the same content.

    Raises:
        PublishError: if the tag exists and names other content than `files`.
    """
    refs = with_retries(lambda: target.api.list_repo_refs(target.repo_id, repo_type="dataset"))
    exists = any(ref.name == tag for ref in refs.tags)
    if exists and changes_against(tag, files, target):
        raise PublishError(f"{target.repo_id}: tag {tag} already names other content; choose another tag")
    return exists


def add_tag(tag: str, oid: str, files: Mapping[str, LocalFile], target: Target) -> None:
    """Tag the commit `oid`, unless the tag exists and names the same content.

    Raises:
        PublishError: if the tag names other content, or cannot be created. The commit is then published.
    """
    with publish_errors(target, f"was published, but not tagged {tag}"):
        with_retries(lambda: _add_tag(tag, oid, files, target))


def _add_tag(tag: str, oid: str, files: Mapping[str, LocalFile], target: Target) -> None:
    # Each retry checks again: an earlier attempt may have succeeded although its answer was lost.
    if not tag_exists(tag, files, target):
        target.api.create_tag(target.repo_id, tag=tag, revision=oid, repo_type="dataset")
