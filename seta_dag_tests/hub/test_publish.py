"""Publish with the real client to a loopback Hub: what is committed and what is uploaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError, DatasetError, PublishError
from seta_dag.hub.client import Target
from seta_dag.hub.plan import plan_publish
from seta_dag.hub.publish import publish
from seta_dag_tests.support.hub import LoopbackHub
from seta_dag_tests.support.hub.dataset import row, sample, write_dataset

REPO = "org/sft"
FIRST = "data/train-00000-of-00002.parquet"
SECOND = "data/train-00001-of-00002.parquet"


def tree(hub: LoopbackHub, repo: str = REPO) -> set[str]:
    """Return the files at the head, except the one that the Hub itself adds."""
    return set(hub.repositories[repo].head.tree) - {".gitattributes"}


def test_first_publish_creates_the_repository_and_one_commit(hub: LoopbackHub, tmp_path: Path) -> None:
    published = publish(sample(tmp_path / "d"), Target(REPO))
    repository = hub.repositories[REPO]
    assert tree(hub) == {"README.md", FIRST, SECOND}
    assert repository.history() == [
        f"Publish dataset {plan_publish(tmp_path / 'd', Target(REPO)).content[:12]}",
        "initial commit",
    ]
    assert published.commit == repository.head.oid
    assert published.url == f"{hub.base}/datasets/{REPO}/commit/{published.commit}"
    assert {change.path for change in published.changes} == tree(hub)
    assert not repository.private


def test_publishing_unchanged_files_uploads_nothing(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    publish(folder, Target(REPO))
    hub.calls.clear()
    again = publish(folder, Target(REPO))
    assert (again.commit, again.changes, again.bytes_uploaded) == (None, (), 0)
    assert len(hub.repositories[REPO].history()) == 2
    assert not hub.count("^(POST|PUT)")


def test_only_the_changed_shard_is_uploaded(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    publish(folder, Target(REPO))
    hub.calls.clear()
    write_dataset(folder, [[row(0), row(1), row(2)], [row(3), row(4), row(9)]])
    published = publish(folder, Target(REPO))
    assert [(c.path, c.kind) for c in published.changes] == [(SECOND, "changed")]
    assert hub.sent("^PUT /lfs") == published.bytes_uploaded == (folder / SECOND).stat().st_size


def test_stale_shards_are_deleted_in_the_same_commit(hub: LoopbackHub, tmp_path: Path) -> None:
    publish(sample(tmp_path / "d", shards=3), Target(REPO))
    hub.repositories[REPO].add_file("notes.md", b"kept")
    published = publish(sample(tmp_path / "d", shards=2), Target(REPO))
    assert tree(hub) == {"README.md", FIRST, SECOND, "notes.md"}
    assert [c.path for c in published.changes if c.kind == "deleted"] == [
        f"data/train-0000{i}-of-00003.parquet" for i in range(3)
    ]
    assert len(hub.repositories[REPO].history()) == 4


def test_plan_equals_the_commit_and_changes_nothing_itself(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    created = plan_publish(folder, Target(REPO))
    assert created.head is None and not hub.repositories
    assert publish(folder, Target(REPO)).changes == created.changes
    sample(tmp_path / "d", shards=1)
    planned = plan_publish(folder, Target(REPO))
    assert planned.head == hub.repositories[REPO].head.oid
    assert set(planned.sizes("deleted")) == {FIRST, SECOND}
    assert planned.bytes_to_upload == sum(planned.sizes("added").values()) > 0
    assert publish(folder, Target(REPO)).changes == planned.changes


def test_pull_request_is_opened_once_and_leaves_main_alone(hub: LoopbackHub, tmp_path: Path) -> None:
    publish(sample(tmp_path / "d"), Target(REPO))
    folder, target = sample(tmp_path / "d", shards=1), Target(REPO, pull_request=True)
    first, second = publish(folder, target), publish(folder, target)
    repository = hub.repositories[REPO]
    assert len(repository.history()) == 2
    assert [ref for ref in repository.refs if ref != "main"] == ["refs/pr/1"]
    assert first.commit == repository.refs["refs/pr/1"] and second.commit is None
    assert first.url == second.url == f"{hub.base}/datasets/{REPO}/discussions/1"


def test_private_creates_a_private_repository(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    publish(folder, Target(REPO, private=True))
    assert hub.repositories[REPO].private
    assert publish(folder, Target(REPO, private=True)).commit is None


def test_private_is_refused_if_the_repository_is_public(hub: LoopbackHub, tmp_path: Path) -> None:
    publish(sample(tmp_path / "d"), Target(REPO))
    with pytest.raises(PublishError, match="exists and is public"):
        publish(sample(tmp_path / "d", shards=1), Target(REPO, private=True))
    assert len(hub.repositories[REPO].history()) == 2


def test_auto_tag_is_derived_from_the_content(hub: LoopbackHub, tmp_path: Path) -> None:
    folder, target = sample(tmp_path / "d"), Target(REPO, tag="auto")
    first, again = publish(folder, target), publish(folder, target)
    other = publish(sample(tmp_path / "d", shards=1), target)
    assert first.tag == again.tag and first.tag != other.tag
    assert hub.repositories[REPO].tags == {first.tag: first.commit, other.tag: other.commit}


def test_tag_of_other_content_is_refused_before_the_upload(hub: LoopbackHub, tmp_path: Path) -> None:
    publish(sample(tmp_path / "d"), Target(REPO, tag="v1"))
    hub.calls.clear()
    with pytest.raises(PublishError, match="tag v1 already names other content"):
        publish(sample(tmp_path / "d", shards=1), Target(REPO, tag="v1"))
    assert not hub.count("^(POST|PUT)")


def test_published_dataset_can_be_tagged_later(hub: LoopbackHub, tmp_path: Path) -> None:
    first = publish(sample(tmp_path / "d"), Target(REPO))
    assert publish(tmp_path / "d", Target(REPO, tag="v1")).commit is None
    assert hub.repositories[REPO].tags == {"v1": first.commit}


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "README.md").unlink(),
        lambda folder: (folder / FIRST).unlink(),
        lambda folder: (folder / FIRST).rename(folder / "data/train-00000-of-00003.parquet"),
        lambda folder: [shard.unlink() for shard in (folder / "data").iterdir()],
    ],
    ids=["no card", "missing shard", "shard of another build", "no shards"],
)
def test_incomplete_dataset_is_not_published(
    hub: LoopbackHub, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(folder := sample(tmp_path / "d"))
    with pytest.raises(DatasetError, match="not a complete dataset"):
        publish(folder, Target(REPO))
    assert not hub.calls


@pytest.mark.parametrize("repo_id", ["", "sft", "a/b/c", "org/-bad-", "org/na me", "org/{variant}"])
def test_invalid_hub_id_is_refused_without_a_request(repo_id: str) -> None:
    with pytest.raises(ConfigError, match="not a Hub id"):
        Target(repo_id)
