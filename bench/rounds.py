"""The ways to build one corpus, each measured once a round, and what small changes cost after them."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from measured import SETA_DAG, Measured, measure, new_home

HERE = Path(__file__).parent
VARIANTS = ("thinking", "nothink")
LABELS = {
    "a": "a. plain loop, as the reference",
    "b": "b. our domain code alone",
    "b0": "b0. the same without proofs",
    "c": "c. seta-dag build",
    "d": "d. the floor",
}
Round = dict[str, Measured]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Trials below `work`/rollouts, and those left out, to come later one by one."""

    work: Path
    later: tuple[Path, ...]

    @property
    def rollouts(self) -> Path:
        """What is built."""
        return self.work / "rollouts"

    @property
    def built(self) -> Path:
        """What the first round's build made; later builds go on from it."""
        return self.work / "built"


def make_corpus(work: Path, size: int, later: int, options: list[str]) -> Corpus:
    """A corpus of `size` trials (and a huge one, where the options say so); `later` more are left out."""
    command = [sys.executable, str(HERE / "make_corpus.py"), str(work / "rollouts"), "--n", str(size + later)]
    subprocess.run([*command, *options], check=True, capture_output=True)
    trials = json.loads((work / "rollouts" / "MANIFEST.json").read_bytes())["trials"]
    (work / "later").mkdir()
    left_out = []
    for name in (trial["trial_uid"] for trial in trials[size : size + later]):
        left_out.append((work / "rollouts" / "trials" / name).rename(work / "later" / name))
    return Corpus(work, tuple(left_out))


def rounds(corpus: Corpus, number: int, loop: bool, said: Callable[[str, Measured], None]) -> list[Round]:
    """Each way in turn, then again; `said` is told of each as it ends. Each writes to an empty directory."""
    found: list[Round] = []
    for _ in range(number):
        found.append({})
        for way, measured in one_round(corpus, loop):
            said(way, measured)
            found[-1][way] = measured
    return found


def one_round(corpus: Corpus, loop: bool) -> Iterator[tuple[str, Measured]]:
    """The ways in their order, measured. Raises `RuntimeError` where two build different datasets."""
    first = not corpus.built.exists()
    ways = {
        "a": lambda: plain_loop(corpus, corpus.work / "a"),
        "b": lambda: alone(corpus, corpus.work / "b"),
        "b0": lambda: alone(corpus, corpus.work / "b0", "--no-proofs"),
        "c": lambda: build(corpus, corpus.built if first else corpus.work / "c"),
        "d": lambda: floor(corpus, corpus.work / "d"),
    }
    for way in ways if loop else list(ways)[1:]:
        os.sync()  # what the one before wrote
        yield way, ways[way]()
        if way == "c":
            for other in ("b", "b0"):
                require_same(corpus.built, corpus.work / other)
    for folder in ("a", "b", "b0", "c", "d", "home"):
        shutil.rmtree(corpus.work / folder, ignore_errors=True)


def plain_loop(corpus: Corpus, out: Path) -> Measured:
    """Both variants, one after the other; the figure is their sum."""
    both = [measure(_way("reference", corpus, out / variant, variant)) for variant in VARIANTS]
    tokens = sum(tokens_of(one) for one in both)
    total = both[0] + both[1]
    return Measured(total.cpu, total.wall, total.peak_mb, json.dumps({"tokens": tokens}))


def alone(corpus: Corpus, out: Path, *options: str) -> Measured:
    """The library without Dagster."""
    return measure(_way("alone", corpus, out, *options))


def build(corpus: Corpus, out: Path) -> Measured:
    """The command, with an instance of its own that stays beside `out`."""
    home = out.with_name(f"{out.name}.home")
    home = home if home.exists() else new_home(home)
    command = [SETA_DAG, "build", "--rollouts", str(corpus.rollouts), "--out", str(out), "--json"]
    return measure(command, home)


def floor(corpus: Corpus, out: Path) -> Measured:
    """What can't be avoided; it is prepared once from what was built."""
    prepared = corpus.work / "prepared"
    if not prepared.exists():
        measure([sys.executable, str(HERE / "ways" / "prepare.py"), str(corpus.built), str(prepared)])
        os.sync()
    return measure(_way("floor", corpus, out, str(prepared)))


def _way(name: str, corpus: Corpus, out: Path, *more: str) -> list[str]:
    return [sys.executable, str(HERE / "ways" / f"{name}.py"), str(corpus.rollouts), str(out), *more]


def tokens_of(measured: Measured) -> int:
    """The tokens of both variants, as the process printed them."""
    tokens = json.loads(measured.said)["tokens"]
    return sum(tokens.values()) if isinstance(tokens, dict) else int(tokens)


def require_same(one: Path, other: Path) -> None:
    """Raises `RuntimeError` where the datasets of two outputs are not the same bytes."""
    for variant in VARIANTS:
        names = [sorted(path.name for path in (out / variant / "data").iterdir()) for out in (one, other)]
        folders = [out / variant / "data" for out in (one, other)]
        same, _, _ = filecmp.cmpfiles(*folders, names[0], shallow=False)
        if names[0] != names[1] or same != names[0]:
            raise RuntimeError(f"{one} and {other} hold different {variant} datasets")
