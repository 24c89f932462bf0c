"""The rollouts directory counted afresh, apart from the code that the ledger was made with."""

from __future__ import annotations

import fnmatch
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from seta_dag.dataset.ledger import Line


def count_by_run(root: Path, pattern: str) -> Counter[str]:
    """Trial directories by run, and for each chain the failed rollouts that have none, as `failed: X`."""
    counts: Counter[str] = Counter()
    tried: set[tuple[str, str]] = set()
    failed: set[tuple[str, str]] = set()
    for run in _runs(root, pattern):
        chain = re.sub(r"(?<=.)_resume(_\d+)?$", "", run)
        names = [name for name in os.listdir(root / run / "trials") if not name.startswith("_build")]
        trials = [name for name in names if (root / run / "trials" / name).is_dir()]
        counts[run] = len(trials)
        tried |= {(chain, re.sub(r"_t\d+_[0-9a-f]+$", "", name)) for name in trials}
        failed |= {(chain, path.stem) for path in (root / run / "failed").glob("*.txt")}
    for chain, task in failed - tried:
        if not task.startswith("build_"):
            counts[f"failed: {chain}"] += 1
    return counts


def _runs(root: Path, pattern: str) -> Iterator[str]:
    for folder, names, _ in os.walk(root, followlinks=True):
        if "trials" in names:
            names.clear()
            run = os.path.relpath(folder, root)
            if fnmatch.fnmatchcase(run, pattern) or fnmatch.fnmatchcase(Path(run).name, pattern):
                yield run


def unaccounted(lines: Iterable[Line], listed: Counter[str]) -> list[str]:
    """A sentence for each run where the ledger's lines are not as many as the trials listed."""
    written = Counter(
        f"failed: {line['chain']}" if line["trial_uid"] is None else line["run"] for line in lines
    )
    places = sorted(written.keys() | listed.keys())
    return [
        f"{place}: {written[place]} lines in the ledger, {listed[place]} on disk"
        for place in places
        if written[place] != listed[place]
    ]
