"""What a build costs after one more trial and when nothing is new, and what is then new to the Hub."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measured import Measured
from rounds import HERE, VARIANTS, Corpus, build

LABELS = {"one": "one new trial", "nothing": "nothing new"}


@dataclass(frozen=True, slots=True)
class Change:
    """The addition of one trial.

    Attributes:
        one: the build after it.
        nothing: the build after that one, which has nothing to do.
        new: the counts of new_bytes.py.
    """

    one: Measured
    nothing: Measured
    new: dict[str, int]


def changes(corpus: Corpus, progress: Callable[[str, Measured], None]) -> list[Change]:
    """Add the trials that were left out, one by one, and build twice after each."""
    return [_change(corpus, trial, progress) for trial in corpus.later]


def _change(corpus: Corpus, trial: Path, progress: Callable[[str, Measured], None]) -> Change:
    before = _snapshot(corpus)
    trial.rename(corpus.rollouts / "trials" / trial.name)
    found = []
    for name in LABELS:
        os.sync()  # so that no build pays for what an earlier one wrote
        found.append(build(corpus, corpus.built))
        progress(name, found[-1])
    command = [sys.executable, str(HERE / "new_bytes.py"), str(before), str(corpus.built)]
    new = subprocess.run(command, check=True, capture_output=True).stdout
    shutil.rmtree(before)
    return Change(*found, json.loads(new))


def _snapshot(corpus: Corpus) -> Path:
    """Link the present datasets. Builds replace files and never write into them, so links are enough."""
    before = corpus.work / "before"
    for variant in VARIANTS:
        shutil.copytree(corpus.built / variant, before / variant, copy_function=os.link)
    return before
