"""Settings that the rollouts ran with, from the configuration files of their runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.confined import read_within

SETTINGS_FILES = ("eval_config.yaml", "config.yaml")
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
"""Path of each setting in a file ("Configuration files", docs/formats.md)."""


def rollout_settings(root: Path, runs: Iterable[str]) -> dict[str, list[Any]]:
    """Return the distinct values of each setting, in the order of `runs`.

    Settings that no run has are left out, and so are files that are damaged or outside of their run. Of an
    absolute path, only the last component is returned, since the card is read on other machines.

    Args:
        root: the rollouts root.
        runs: paths of the runs, relative to `root`.
    """
    # Values are told apart by their repr, because 1 == 1.0 == True. A dict keeps their order.
    values: dict[str, dict[str, Any]] = {name: {} for name in _SETTINGS}
    for run in runs:
        documents = [_document(root / run, name) for name in SETTINGS_FILES]
        for name, keys in _SETTINGS.items():
            candidates = (_value(document, keys) for document in documents)
            value = next((value for value in candidates if value is not None), None)
            if value is not None:
                values[name].setdefault(repr(value), value)
    return {name: list(by_repr.values()) for name, by_repr in values.items() if by_repr}


def _document(run: Path, name: str) -> Any:
    try:
        return yaml.safe_load(read_within(str(run), name, "run"))
    except Exception:  # on damaged files, PyYAML also raises IndexError, KeyError and others
        return None


def _value(document: Any, keys: tuple[str, ...]) -> str | int | float | bool | None:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    if isinstance(document, str):
        document = json_reader.clean(document)
        return PurePosixPath(document).name if document.startswith("/") else document
    # NaN, infinities and huge integers fail the comparison; nothing in a card should be one of them.
    is_number = isinstance(document, bool | int | float) and abs(document) < 2**63
    return document if is_number else None
