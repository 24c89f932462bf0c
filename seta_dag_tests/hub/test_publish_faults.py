"""Publishing when the Hub, the network or another committer gets in the way."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.errors import PublishError
from seta_dag.hub.client import Target
from seta_dag.hub.publish import publish
from seta_dag_tests.support.hub import TOKEN, LoopbackHub
from seta_dag_tests.support.hub.dataset import CARD, row, sample, write_dataset
from seta_dag_tests.support.hub.repository import Repository
from seta_dag_tests.support.hub.state import Fault

REPO = "org/sft"
COMMIT = "^POST /api/datasets/org/sft/commit/"


@pytest.fixture
def published(hub: LoopbackHub, tmp_path: Path) -> Repository:
    """A repository that holds a first version; its calls are forgotten."""
    publish(sample(tmp_path / "d"), Target(REPO))
    hub.calls.clear()
    sample(tmp_path / "d", shards=1)
    return hub.repositories[REPO]


def holds(repository: Repository, folder: Path) -> bool:
    """Whether the head holds exactly the dataset in `folder`."""
    local = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    return local == {path for path in repository.head.tree if not path.startswith((".", "notes"))}


def test_a_race_ends_in_one_commit_on_top_of_the_other(
    hub: LoopbackHub, published: Repository, tmp_path: Path
) -> None:
    hub.faults.append(Fault(COMMIT, first=lambda: published.add_file("notes.md", b"hello")))
    made = publish(tmp_path / "d", Target(REPO))
    assert [c.status for c in hub.calls if "/commit/" in c.path] == [412, 200]
    assert published.head.oid == made.commit and published.history()[1] == "someone else was here"
    assert holds(published, tmp_path / "d") and "notes.md" in published.head.tree


@pytest.mark.parametrize(
    "target", [Target(REPO), Target(REPO, pull_request=True)], ids=["main", "pull request"]
)
def test_an_answer_lost_after_the_commit_ends_in_one_commit(
    hub: LoopbackHub, published: Repository, tmp_path: Path, target: Target
) -> None:
    before = len(published.commits)
    hub.faults.append(Fault(COMMIT, status=504, late=True))
    made = publish(tmp_path / "d", target)
    assert len(published.commits) == before + 1
    assert made.commit in published.refs.values() and made.changes


@pytest.mark.parametrize(
    "request_",
    [
        "^GET /api/datasets/org/sft$",
        "/tree/",
        "/preupload/",
        "/info/lfs/objects/batch",
        "^POST /lfs-verify",
        COMMIT,
        "/refs",
        "/tag/",
    ],
)
def test_a_hub_that_stumbles_twice_is_asked_again(
    hub: LoopbackHub, published: Repository, tmp_path: Path, request_: str
) -> None:
    write_dataset(tmp_path / "d", [[row(7)]])
    hub.faults.append(Fault(request_, times=2, status=503))
    made = publish(tmp_path / "d", Target(REPO, tag="v1"))
    assert len(published.history()) == 3 and holds(published, tmp_path / "d")
    assert published.tags == {"v1": made.commit}


@pytest.mark.parametrize("request_", ["^GET /api/datasets/org/sft$", "/preupload/", COMMIT])
def test_a_hub_that_stays_down_is_a_sentence_and_nothing_is_published(
    hub: LoopbackHub, published: Repository, tmp_path: Path, request_: str
) -> None:
    head = published.head
    hub.faults.append(Fault(request_, times=99, status=503))
    with pytest.raises(PublishError, match=r"^org/sft was not published: .* answered 503 each time .*later$"):
        publish(tmp_path / "d", Target(REPO))
    assert published.head == head
    assert 3 < hub.count(request_) < 10


def test_a_tag_that_fails_says_that_the_commit_stands(
    hub: LoopbackHub, published: Repository, tmp_path: Path
) -> None:
    hub.faults.append(Fault("/tag/", times=99, status=503))
    with pytest.raises(PublishError, match=r"was published, but not tagged v1: .* 503"):
        publish(tmp_path / "d", Target(REPO, tag="v1"))
    assert holds(published, tmp_path / "d")


def no_xet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", False)


def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nonexistent")


REFUSED: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Target, str]] = {
    "refused token": (lambda m: m.setenv("HF_TOKEN", "hf_stolen"), Target(REPO), "refused the token"),
    "no token": (no_token, Target(REPO), "no token; set HF_TOKEN"),
    "no such organisation": (lambda m: None, Target("nobody/sft"), "nobody does not exist"),
    "no network": (lambda m: None, Target(REPO, endpoint="http://127.0.0.1:9"), "no connection to"),
    "offline": (
        lambda m: m.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True), Target(REPO), "HF_HUB_OFFLINE"
    ),
    "a hub without Xet": (no_xet, Target(REPO), "HF_HUB_DISABLE_XET=1"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_stands_in_the_way_is_one_sentence(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    prepare, target, sentence = REFUSED[case]
    prepare(monkeypatch)
    with pytest.raises(PublishError, match=sentence) as caught:
        publish(sample(tmp_path / "d"), target)
    assert "\n" not in str(caught.value)
    assert all(set(repository.head.tree) == {".gitattributes"} for repository in hub.repositories.values())


def test_a_card_that_the_hub_refuses_is_not_published(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", [[row(1)]], card=CARD.replace("configs:", "configs: ["))
    with pytest.raises(PublishError, match=r"not published: .*README"):
        publish(folder, Target(REPO))
    assert set(hub.repositories[REPO].head.tree) == {".gitattributes"}


@pytest.mark.parametrize("status", [None, 401, 403, 503])
def test_the_token_is_never_told(
    hub: LoopbackHub, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int | None
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.faults.append(Fault(COMMIT, times=99, status=status))
    try:
        told = repr(publish(sample(tmp_path / "d"), Target(REPO, tag="auto")))
    except PublishError as error:
        told = f"{error!r} {error.__cause__!r}"
    assert all(call.authorization == f"Bearer {TOKEN}" for call in hub.calls if "/lfs" not in call.path)
    assert TOKEN not in told + caplog.text
