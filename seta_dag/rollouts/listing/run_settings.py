"""The settings that the rollouts ran with, as far as the runs' own configuration files hold them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from seta_dag.rollouts import json_reader

_FILES = ("eval_config.yaml", "config.yaml")
_AGENT, _MODEL = ("terminal_env", "agent"), ("terminal_env", "model")
_SETTINGS: dict[str, tuple[str, ...]] = {
    "dataset": ("dataset",),
    "n_trajs": ("n_trajs",),
    "model_type": (*_MODEL, "model_type"),
    "temperature": (*_MODEL, "model_config_dict", "temperature"),
    "thinking": (*_AGENT, "thinking"),
    "max_iteration": (*_AGENT, "max_iteration"),
    "max_total_tokens": (*_AGENT, "max_total_tokens"),
    "max_completion_tokens": (*_AGENT, "max_completion_tokens"),
}
"""Where each setting stands (FORMATS.md, "Tree")."""


def rollout_settings(root: Path, runs: Iterable[str]) -> dict[str, list[Any]]:
    """The different values of each setting over the runs (paths below `root`), in the order of the runs.

    A setting that no run holds is not in the result. What is missing or damaged is passed over. Of
    an absolute path only the last part is given: a card is read on other machines.
    """
    seen: dict[str, dict[str, Any]] = {name: {} for name in _SETTINGS}
    for run in runs:
        documents = [_document(root / run / name) for name in _FILES]
        for name, keys in _SETTINGS.items():
            found = (_value(document, keys) for document in documents)
            value = next((value for value in found if value is not None), None)
            if value is not None:
                seen[name].setdefault(repr(value), value)  # by repr: 1, 1.0 and true are different settings
    return {name: list(values.values()) for name, values in seen.items() if values}


def _document(path: Path) -> Any:
    try:
        return yaml.safe_load(json_reader.read_bytes(path))
    except Exception:  # besides its own errors PyYAML raises IndexError, KeyError and more on damaged input
        return None


def _value(document: Any, keys: tuple[str, ...]) -> str | int | float | bool | None:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    if isinstance(document, str):
        document = json_reader.clean(document)
        return PurePosixPath(document).name if document.startswith("/") else document
    number = isinstance(document, bool | int | float) and abs(document) < 2**63  # no NaN, nothing endless
    return document if number else None
