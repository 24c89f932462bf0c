"""The loopback Hub, and the client set to know no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from seta_dag_tests.support.hub import TOKEN, LoopbackHub, serve


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
