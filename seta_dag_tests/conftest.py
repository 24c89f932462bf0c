"""Fixtures for tests of several folders: the student's tokenizer in both engines, and the loopback Hub."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.proofs.load_ahead import loaded
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.student.engines import Engine
from seta_dag.tokens.student.student import DEFAULT_STUDENT, Student, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag_tests.support.hub import TOKEN, LoopbackHub, serve

settings.register_profile("seta_dag", deadline=None, max_examples=60)
settings.load_profile("seta_dag")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped tests if NO_SKIPS is set, as it is in CI: a skipped test proves nothing."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("NO_SKIPS") and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"{len(skipped)} skipped tests: NO_SKIPS is set, so the run fails")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def student() -> Student:
    """Qwen3, as a build finds it."""
    return find_student(DEFAULT_STUDENT)


@pytest.fixture(scope="session", autouse=True)
def prover(student: Student) -> Prover:
    """What every build of this process proves its rows with, as long as it is in use."""
    return loaded(student, "fastokens")


@pytest.fixture(scope="session")
def tokenizer(prover: Prover) -> StudentTokenizer:
    """The student's tokenizer in the default engine."""
    return prover.tokenizer


@pytest.fixture(scope="session")
def reference(student: Student) -> Engine:
    """The student's tokenizer in the reference engine."""
    return student.engine("hf")


@pytest.fixture(scope="session")
def maker(prover: Prover) -> RowMaker:
    """Makes rows, and holds each against the reference engine."""
    return RowMaker(prover, sample_rate=1.0)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A fresh hub with a user `me` and an organisation `org`, its token in the environment.

    Endpoints, caches and Xet are read from the environment at the client's import, so the constants
    are patched. Neither our retries nor the client's wait.
    """
    import datasets.config
    from huggingface_hub import constants

    blobs = tmp_path / "blobs"
    blobs.mkdir()
    with serve(LoopbackHub(blobs)) as served:
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", served.base)
        files = served.base + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache/hub"))
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", served.base)
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache/datasets")
        hurried = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None})
        monkeypatch.setattr("seta_dag.hub.client.time", hurried)
        monkeypatch.setattr("huggingface_hub.utils._http.time", hurried)
        yield served
