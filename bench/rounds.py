"""The ways to build one corpus, each measured once per round."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cluster import cluster
from measured import SETA_DAG, Measured, measure, new_home

HERE = Path(__file__).parent
VARIANTS = ("thinking", "nothink")
LABELS = {
    "a": "a. plain loop, like the reference",
    "b": "b. the library without Dagster",
    "b0": "b0. the same without proofs",
    "c": "c. seta-dag build, 1 worker",
    "c2": "c2. seta-dag build, 2 workers",
    "cd": "cd. the same on a Dask cluster",
    "d": "d. the floor",
}
Round = dict[str, Measured]
"""One measurement of each way, by its key in `LABELS`."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus of rollouts, and some trials that are added to it later.

    Attributes:
        work: folder of everything that belongs to this corpus.
        later: directories of the trials that are left out at first.
    """

    work: Path
    later: tuple[Path, ...]

    @property
    def rollouts(self) -> Path:
        """The rollouts root."""
        return self.work / "rollouts"

    @property
    def built(self) -> Path:
        """Output directory of the build of the first round; builds after changes continue from it."""
        return self.work / "built"


def make_corpus(work: Path, size: int, later: int, options: list[str]) -> Corpus:
    """Write a corpus of `size` trials, and `later` more that are left out.

    `options` go to make_corpus.py; `--huge` adds one more trial.
    """
    command = [sys.executable, str(HERE / "make_corpus.py"), str(work / "rollouts"), "--n", str(size + later)]
    subprocess.run([*command, *options], check=True, capture_output=True)
    trials = json.loads((work / "rollouts" / "MANIFEST.json").read_bytes())["trials"]
    (work / "later").mkdir()
    left_out = []
    for name in (trial["trial_uid"] for trial in trials[size : size + later]):
        left_out.append((work / "rollouts" / "trials" / name).rename(work / "later" / name))
    return Corpus(work, tuple(left_out))


def rounds(corpus: Corpus, number: int, loop: bool, progress: Callable[[str, Measured], None]) -> list[Round]:
    """Measure every way once per round, each with an empty output directory.

    Without `loop`, way `a` is left out. `progress` is called with the key of a way and its measurement.
    """
    found: list[Round] = []
    for _ in range(number):
        found.append({})
        for way, measured in one_round(corpus, loop):
            progress(way, measured)
            found[-1][way] = measured
    return found


def one_round(corpus: Corpus, loop: bool) -> Iterator[tuple[str, Measured]]:
    """Yield the measurement of each way.

    Raises:
        RuntimeError: if two ways that should write the same datasets write different ones.
    """
    first = not corpus.built.exists()
    ways = {
        "a": lambda: plain_loop(corpus, corpus.work / "a"),
        "b": lambda: library(corpus, corpus.work / "b"),
        "b0": lambda: library(corpus, corpus.work / "b0", "--no-proofs"),
        "c": lambda: build(corpus, corpus.built if first else corpus.work / "c"),
        "c2": lambda: build(corpus, corpus.work / "c2", "2"),
        "cd": lambda: on_cluster(corpus, corpus.work / "cd"),
        "d": lambda: floor(corpus, corpus.work / "d"),
    }
    for way in ways if loop else list(ways)[1:]:
        os.sync()  # so that no way pays for what the previous one wrote
        yield way, ways[way]()
        if way == "cd":
            for other in ("b", "b0", "c2", "cd"):
                require_same(corpus.built, corpus.work / other)
    for folder in ways:
        shutil.rmtree(corpus.work / folder, ignore_errors=True)


def plain_loop(corpus: Corpus, out: Path) -> Measured:
    """Measure the reference's way, one variant after the other, as one sum."""
    both = [measure(_way("reference", corpus, out / variant, variant)) for variant in VARIANTS]
    tokens = sum(tokens_of(one) for one in both)
    total = both[0] + both[1]
    return replace(total, last_line=json.dumps({"tokens": tokens}))


def library(corpus: Corpus, out: Path, *options: str) -> Measured:
    """Measure the library without Dagster."""
    return measure(_way("alone", corpus, out, *options))


def build(corpus: Corpus, out: Path, workers: str = "1", processes: Sequence[int] = ()) -> Measured:
    """Measure the command, with an instance of its own that is kept next to `out`.

    `processes` are those of the cluster that `workers` names.
    """
    home = out.with_name(f"{out.name}.home")
    home = home if home.exists() else new_home(home)
    command = [SETA_DAG, "build", "--rollouts", str(corpus.rollouts), "--out", str(out), "--json"]
    return measure([*command, "--workers", workers], home, processes)


def on_cluster(corpus: Corpus, out: Path) -> Measured:
    """Measure the command on a new Dask cluster of two workers, whose start is not measured."""
    with cluster(corpus.work, 2) as (file, processes):
        return build(corpus, out, f"dask:{file}", processes)


def floor(corpus: Corpus, out: Path) -> Measured:
    """Measure the work that can't be avoided. Its input is prepared once, from the first build."""
    prepared = corpus.work / "prepared"
    if not prepared.exists():
        measure([sys.executable, str(HERE / "ways" / "prepare.py"), str(corpus.built), str(prepared)])
        os.sync()
    return measure(_way("floor", corpus, out, str(prepared)))


def _way(name: str, corpus: Corpus, out: Path, *more: str) -> list[str]:
    return [sys.executable, str(HERE / "ways" / f"{name}.py"), str(corpus.rollouts), str(out), *more]


def tokens_of(measured: Measured) -> int:
    """Return the number of tokens of both variants, which every way prints as JSON."""
    tokens = json.loads(measured.last_line)["tokens"]
    # `seta-dag build --json` prints them per variant.
    return sum(tokens.values()) if isinstance(tokens, dict) else int(tokens)


def require_same(one: Path, other: Path) -> None:
    """Compare the shards of two output directories byte for byte.

    Raises:
        RuntimeError: if they differ.
    """
    for variant in VARIANTS:
        names = [sorted(path.name for path in (out / variant / "data").iterdir()) for out in (one, other)]
        folders = [out / variant / "data" for out in (one, other)]
        same, _, _ = filecmp.cmpfiles(*folders, names[0], shallow=False)
        if names[0] != names[1] or same != names[0]:
            raise RuntimeError(f"{one} and {other} contain different {variant} datasets")
