"""What a build costs after one more trial came, and after nothing did; and what is then new to the Hub."""

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
    """One trial came: the build, the build after it, and the counts of new_bytes.py."""

    one: Measured
    nothing: Measured
    new: dict[str, int]


def changes(corpus: Corpus, said: Callable[[str, Measured], None]) -> list[Change]:
    """Adds the trials that were left out, one after the other, and builds twice after each."""
    return [_change(corpus, trial, said) for trial in corpus.later]


def _change(corpus: Corpus, trial: Path, said: Callable[[str, Measured], None]) -> Change:
    before = _kept(corpus)
    trial.rename(corpus.rollouts / "trials" / trial.name)
    found = []
    for name in LABELS:
        os.sync()
        found.append(build(corpus, corpus.built))
        said(name, found[-1])
    command = [sys.executable, str(HERE / "new_bytes.py"), str(before), str(corpus.built)]
    new = subprocess.run(command, check=True, capture_output=True).stdout
    shutil.rmtree(before)
    return Change(*found, json.loads(new))


def _kept(corpus: Corpus) -> Path:
    """The datasets as they are now: the same files, which no build writes into."""
    before = corpus.work / "before"
    for variant in VARIANTS:
        shutil.copytree(corpus.built / variant, before / variant, copy_function=os.link)
    return before
