"""Publish while the Hub, the network or another committer causes a failure."""

from __future__ import annotations

import hashlib
import logging
import socket
from collections.abc import Callable, Iterator
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
    """Return a repository with a first version; the folder has a second one, not published yet."""
    publish(sample(tmp_path / "d"), Target(REPO))
    hub.calls.clear()
    sample(tmp_path / "d", shards=1)
    return hub.repositories[REPO]


def has_files_of(repository: Repository, folder: Path) -> bool:
    """Return whether the head has exactly the files of the dataset in `folder`, byte for byte."""
    local = {str(path.relative_to(folder)): sha256(path.read_bytes()) for path in folder.rglob("*.*")}
    remote = {
        path: entry.sha256 or sha256(entry.content or b"") for path, entry in repository.head.tree.items()
    }
    return local == {path: digest for path, digest in remote.items() if not path.startswith((".", "notes"))}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_commit_that_loses_a_race_is_made_on_top_of_the_other(
    hub: LoopbackHub, published: Repository, tmp_path: Path
) -> None:
    hub.faults.append(Fault(COMMIT, first=lambda: published.add_file("notes.md", b"hello")))
    done = publish(tmp_path / "d", Target(REPO))
    assert [c.status for c in hub.calls if "/commit/" in c.path] == [412, 200]
    assert published.head.oid == done.commit and published.history()[1] == "someone else was here"
    assert has_files_of(published, tmp_path / "d") and "notes.md" in published.head.tree


@pytest.mark.parametrize(
    "target", [Target(REPO), Target(REPO, pull_request=True)], ids=["main", "pull request"]
)
def test_lost_answer_to_the_commit_does_not_commit_twice(
    hub: LoopbackHub, published: Repository, tmp_path: Path, target: Target
) -> None:
    before = len(published.commits)
    hub.faults.append(Fault(COMMIT, status=504, late=True))
    done = publish(tmp_path / "d", target)
    assert len(published.commits) == before + 1
    assert done.commit in published.refs.values() and done.changes


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
def test_request_that_fails_twice_is_retried(
    hub: LoopbackHub, published: Repository, tmp_path: Path, request_: str
) -> None:
    write_dataset(tmp_path / "d", [[row(7)]])
    hub.faults.append(Fault(request_, times=2, status=503))
    done = publish(tmp_path / "d", Target(REPO, tag="v1"))
    assert len(published.history()) == 3 and has_files_of(published, tmp_path / "d")
    assert published.tags == {"v1": done.commit}


@pytest.mark.parametrize("request_", ["^GET /api/datasets/org/sft$", "/preupload/", COMMIT])
def test_request_that_keeps_failing_publishes_nothing_and_says_so_in_one_sentence(
    hub: LoopbackHub, published: Repository, tmp_path: Path, request_: str
) -> None:
    head = published.head
    hub.faults.append(Fault(request_, times=99, status=503))
    sentence = r"^org/sft was not published: .* every attempt with status 503; publish again later$"
    with pytest.raises(PublishError, match=sentence):
        publish(tmp_path / "d", Target(REPO))
    assert published.head == head
    assert 3 < hub.count(request_) < 10


def test_error_for_a_failed_tag_says_that_the_commit_is_published(
    hub: LoopbackHub, published: Repository, tmp_path: Path
) -> None:
    hub.faults.append(Fault("/tag/", times=99, status=503))
    with pytest.raises(PublishError, match=r"was published, but not tagged v1: .* 503"):
        publish(tmp_path / "d", Target(REPO, tag="v1"))
    assert has_files_of(published, tmp_path / "d")


Patch = Callable[[pytest.MonkeyPatch, Path], None]


def unchanged(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Leave the environment as the `hub` fixture sets it."""


def wrong_token(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_stolen")


def no_token(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(folder / "no_token_file"))


def offline(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def enable_xet(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", False)


REFUSED: dict[str, tuple[Patch, Target, str]] = {
    "wrong token": (wrong_token, Target(REPO), "refused the token"),
    "no token": (no_token, Target(REPO), "no token; set HF_TOKEN"),
    "unknown organisation": (unchanged, Target("nobody/sft"), "nobody does not exist"),
    "offline": (offline, Target(REPO), "HF_HUB_OFFLINE is set"),
    "Hub without Xet": (enable_xet, Target(REPO), "HF_HUB_DISABLE_XET=1"),
}


def assert_refused(hub: LoopbackHub, folder: Path, target: Target, sentence: str) -> None:
    """Publish a sample, and check that it fails in one sentence and leaves no file on the Hub."""
    with pytest.raises(PublishError, match=sentence) as caught:
        publish(sample(folder), target)
    assert "\n" not in str(caught.value)
    assert all(set(repository.head.tree) == {".gitattributes"} for repository in hub.repositories.values())


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_is_explained_in_one_sentence(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    patch, target, sentence = REFUSED[case]
    patch(monkeypatch, tmp_path)
    assert_refused(hub, tmp_path / "d", target, sentence)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Return a loopback port that refuses connections: it is bound, so nobody else can listen on it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_missing_connection_is_explained_in_one_sentence(
    hub: LoopbackHub, tmp_path: Path, closed_port: int
) -> None:
    target = Target(REPO, endpoint=f"http://127.0.0.1:{closed_port}")
    assert_refused(hub, tmp_path / "d", target, "no connection to")


def test_dataset_whose_card_the_hub_rejects_is_not_published(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", [[row(1)]], card=CARD.replace("configs:", "configs: ["))
    with pytest.raises(PublishError, match=r"not published: .*README"):
        publish(folder, Target(REPO))
    assert set(hub.repositories[REPO].head.tree) == {".gitattributes"}


@pytest.mark.parametrize("status", [None, 401, 403, 503])
def test_token_is_never_printed_or_logged(
    hub: LoopbackHub, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int | None
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.faults.append(Fault(COMMIT, times=99, status=status))
    try:
        shown = repr(publish(sample(tmp_path / "d"), Target(REPO, tag="auto")))
    except PublishError as error:
        shown = f"{error!r} {error.__cause__!r}"
    assert all(call.authorization == f"Bearer {TOKEN}" for call in hub.calls if "/lfs" not in call.path)
    assert TOKEN not in shown + caplog.text
