"""What became of each task's canonical trials, out of the tasks' stage files, without their texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from seta_dag.dataset.task_table import OUTCOME_COLUMNS, read_task
from seta_dag.files import write_json
from seta_dag.out import Out

Outcome = dict[str, Any]


def read_outcomes(out: Out, fingerprints: Mapping[str, str]) -> dict[str, list[Outcome]]:
    """The outcomes of every task that was tokenized, by task; columns as in `OUTCOME_COLUMNS`.

    They are kept in one file as well, so that of 1,600 stage files only those written since are opened.
    """
    memo = out.stages / "outcomes.json"
    kept: dict[str, Any] = orjson.loads(memo.read_bytes()) if memo.is_file() else {}
    found: dict[str, Any] = {}
    outcomes: dict[str, list[Outcome]] = {}
    for task, fingerprint in fingerprints.items():
        path = out.task_file("tokens", task, fingerprint)
        if path.is_file():
            key = f"{path.name} {_mark(path)}"
            outcomes[task] = found[key] = kept.get(key) or read_task(path).select(OUTCOME_COLUMNS).to_pylist()
    if found.keys() != kept.keys():
        write_json(memo, found)
    return outcomes


def _mark(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"
