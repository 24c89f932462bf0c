"""What became of each task's canonical trials, out of the tasks' stage files, without their texts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from seta_dag.dataset.task_table import OUTCOME_COLUMNS, read_task
from seta_dag.files import write_json
from seta_dag.out import Out, task_file_name

Outcome = dict[str, Any]


def read_outcomes(out: Out, fingerprints: Mapping[str, str]) -> dict[str, list[Outcome]]:
    """The outcomes of every task that was tokenized, by task; columns as in `OUTCOME_COLUMNS`.

    They are kept in one file as well, so that of 1,600 stage files only those written since are opened.
    """
    memo = out.stages / "outcomes.json"
    kept: dict[str, Any] = orjson.loads(memo.read_bytes()) if memo.is_file() else {}
    found: dict[str, Any] = {}
    outcomes: dict[str, list[Outcome]] = {}
    written = _marks(out.stage("tokens"))
    for task, fingerprint in fingerprints.items():
        name = task_file_name("tokens", task, fingerprint)
        if name in written:
            key = f"{name} {written[name]}"
            outcomes[task] = found[key] = kept.get(key) or _read(out.stage("tokens") / name)
    if found.keys() != kept.keys():
        write_json(memo, found)
    return outcomes


def _read(path: Path) -> list[Outcome]:
    outcomes: list[Outcome] = read_task(path).select(OUTCOME_COLUMNS).to_pylist()
    return outcomes


def _marks(folder: Path) -> dict[str, str]:
    """Size and time of every file in a folder."""
    if not folder.is_dir():
        return {}
    stats = {entry.name: entry.stat() for entry in os.scandir(folder) if entry.is_file()}
    return {name: f"{stat.st_size} {stat.st_mtime_ns}" for name, stat in stats.items()}
