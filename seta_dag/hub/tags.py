"""Tags name content: one that exists may only stand where the same files are."""

from __future__ import annotations

from collections.abc import Mapping

from seta_dag.errors import PublishError
from seta_dag.hub.client import Target, one_sentence, patiently
from seta_dag.hub.local_files import LocalFile
from seta_dag.hub.plan import changes_against


def tag_exists(tag: str, files: Mapping[str, LocalFile], target: Target) -> bool:
    """Whether the tag exists. Raises `PublishError` where it names other content than `files`."""
    refs = patiently(lambda: target.api.list_repo_refs(target.repo_id, repo_type="dataset"))
    exists = any(ref.name == tag for ref in refs.tags)
    if exists and changes_against(tag, files, target):
        raise PublishError(f"{target.repo_id}: tag {tag} names other content already; choose another tag")
    return exists


def add_tag(tag: str, oid: str, files: Mapping[str, LocalFile], target: Target) -> None:
    """Tags the commit `oid`, unless the tag names the same content already. Raises `PublishError`."""
    with one_sentence(target, f"was published, but not tagged {tag}"):
        patiently(lambda: _add_tag(tag, oid, files, target))


def _add_tag(tag: str, oid: str, files: Mapping[str, LocalFile], target: Target) -> None:
    if not tag_exists(tag, files, target):
        target.api.create_tag(target.repo_id, tag=tag, revision=oid, repo_type="dataset")
