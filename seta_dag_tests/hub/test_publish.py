"""Publishing with the real client: what is committed, and what is sent."""

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
    """The files at the head, less what the hub itself puts there."""
    return set(hub.repositories[repo].head.tree) - {".gitattributes"}


def test_the_first_publish_creates_the_repository_and_makes_one_commit(
    hub: LoopbackHub, tmp_path: Path
) -> None:
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


def test_publishing_again_makes_no_commit_and_sends_nothing(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    publish(folder, Target(REPO))
    hub.calls.clear()
    again = publish(folder, Target(REPO))
    assert (again.commit, again.changes, again.bytes_uploaded) == (None, (), 0)
    assert len(hub.repositories[REPO].history()) == 2
    assert not hub.count("^(POST|PUT)")


def test_one_changed_shard_is_all_that_is_sent(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    publish(folder, Target(REPO))
    hub.calls.clear()
    write_dataset(folder, [[row(0), row(1), row(2)], [row(3), row(4), row(9)]])
    published = publish(folder, Target(REPO))
    assert [(c.path, c.kind) for c in published.changes] == [(SECOND, "changed")]
    assert hub.sent("^PUT /lfs") == published.bytes_uploaded == (folder / SECOND).stat().st_size


def test_fewer_shards_remove_the_stale_ones_in_the_same_commit(hub: LoopbackHub, tmp_path: Path) -> None:
    publish(sample(tmp_path / "d", shards=3), Target(REPO))
    hub.repositories[REPO].add_file("notes.md", b"kept")
    published = publish(sample(tmp_path / "d", shards=2), Target(REPO))
    assert tree(hub) == {"README.md", FIRST, SECOND, "notes.md"}
    assert [c.path for c in published.changes if c.kind == "deleted"] == [
        f"data/train-0000{i}-of-00003.parquet" for i in range(3)
    ]
    assert len(hub.repositories[REPO].history()) == 4


def test_the_plan_is_what_the_commit_does_and_touches_nothing(hub: LoopbackHub, tmp_path: Path) -> None:
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


def test_a_pull_request_leaves_the_main_branch_and_is_opened_once(hub: LoopbackHub, tmp_path: Path) -> None:
    publish(sample(tmp_path / "d"), Target(REPO))
    folder, target = sample(tmp_path / "d", shards=1), Target(REPO, pull_request=True)
    first, second = publish(folder, target), publish(folder, target)
    repository = hub.repositories[REPO]
    assert len(repository.history()) == 2
    assert [ref for ref in repository.refs if ref != "main"] == ["refs/pr/1"]
    assert first.commit == repository.refs["refs/pr/1"] and second.commit is None
    assert first.url == second.url == f"{hub.base}/datasets/{REPO}/discussions/1"


def test_a_private_repository_is_created_private(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    publish(folder, Target(REPO, private=True))
    assert hub.repositories[REPO].private
    assert publish(folder, Target(REPO, private=True)).commit is None


def test_private_is_refused_where_the_repository_is_public(hub: LoopbackHub, tmp_path: Path) -> None:
    publish(sample(tmp_path / "d"), Target(REPO))
    with pytest.raises(PublishError, match="exists and is public"):
        publish(sample(tmp_path / "d", shards=1), Target(REPO, private=True))
    assert len(hub.repositories[REPO].history()) == 2


def test_an_automatic_tag_names_the_content(hub: LoopbackHub, tmp_path: Path) -> None:
    folder, target = sample(tmp_path / "d"), Target(REPO, tag="auto")
    first, again = publish(folder, target), publish(folder, target)
    other = publish(sample(tmp_path / "d", shards=1), target)
    assert first.tag == again.tag and first.tag != other.tag
    assert hub.repositories[REPO].tags == {first.tag: first.commit, other.tag: other.commit}


def test_a_tag_of_other_content_is_refused_before_anything_is_sent(hub: LoopbackHub, tmp_path: Path) -> None:
    publish(sample(tmp_path / "d"), Target(REPO, tag="v1"))
    hub.calls.clear()
    with pytest.raises(PublishError, match="tag v1 names other content already"):
        publish(sample(tmp_path / "d", shards=1), Target(REPO, tag="v1"))
    assert not hub.count("^(POST|PUT)")


def test_an_unchanged_dataset_can_be_tagged_later(hub: LoopbackHub, tmp_path: Path) -> None:
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
    ids=["no card", "a shard is missing", "shards of two builds", "no shards"],
)
def test_a_dataset_that_is_not_whole_is_not_published(
    hub: LoopbackHub, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(folder := sample(tmp_path / "d"))
    with pytest.raises(DatasetError, match="not a whole dataset"):
        publish(folder, Target(REPO))
    assert not hub.calls


@pytest.mark.parametrize("repo_id", ["", "sft", "a/b/c", "org/-bad-", "org/na me", "org/{variant}"])
def test_a_repository_id_is_checked_at_once(repo_id: str) -> None:
    with pytest.raises(ConfigError, match="no Hub id"):
        Target(repo_id)
