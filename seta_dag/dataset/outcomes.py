"""What became of each task's canonical trials, out of the tasks' stage files, without their texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seta_dag.dataset.task_table import OUTCOME_COLUMNS, read_task
from seta_dag.files import read_memo, write_memo
from seta_dag.out import Out, task_file_name
from seta_dag.whole import remove_damaged, whole

Outcome = dict[str, Any]


def read_outcomes(out: Out, fingerprints: Mapping[str, str]) -> dict[str, list[Outcome]]:
    """The outcomes of every task whose stage file is whole, by task; columns as in `OUTCOME_COLUMNS`.

    They are kept in one memo as well, so that of 1,600 stage files only those written since are opened.
    A file that is opened is first held against its sum, and removed where it is damaged.
    """
    written = whole(out, "tokens")
    names = {task: task_file_name("tokens", task, value) for task, value in fingerprints.items()}
    keys = {name: f"{name} {written[name]}" for name in names.values() if name in written}
    memo = out.memo("outcomes")
    kept: dict[str, list[Outcome]] = read_memo(memo) or {}
    fresh = [name for name, key in keys.items() if key not in kept]
    damaged = set(remove_damaged(out, "tokens", fresh))
    read = {keys[name]: _read(out.stage("tokens") / name) for name in fresh if name not in damaged}
    found = {key: kept.get(key) or read[key] for name, key in keys.items() if name not in damaged}
    if found.keys() != kept.keys():
        write_memo(memo, found)
    return {task: found[keys[name]] for task, name in names.items() if keys.get(name) in found}


def _read(path: Path) -> list[Outcome]:
    outcomes: list[Outcome] = read_task(path).select(OUTCOME_COLUMNS).to_pylist()
    return outcomes
