"""Measures whole builds, against a plain loop and the floor, and writes bench/RESULTS.md (Linux only).

    python bench/full.py 400 1600 [--rounds 3] [--loop-most 1600] [--huge MB] [--work DIR]

For each size a corpus is made; every way to build it runs once a round, in turn, each a process of its
own, all on the same cores. Then trials come one by one, and nothing comes. A size that has a block in
RESULTS.md already gets a new one; the others stay as they are.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import results
from later import LABELS as CHANGES
from later import changes
from measured import Measured
from rounds import LABELS, make_corpus, rounds

_WARM_UP = 3


def say(name: str, measured: Measured) -> None:
    """A line of the table that is printed as the bench goes on."""
    label = {**LABELS, **CHANGES}[name]
    print(f"  {label:32}{measured.cpu:8.1f} {measured.wall:8.1f} {measured.peak_mb:8,.0f}", flush=True)


def warm_up(work: Path) -> None:
    """Every way over a few trials, so that no measured one reads or compiles modules for the first time."""
    work.mkdir()
    rounds(make_corpus(work, _WARM_UP, 0, []), 1, loop=True, said=lambda *_: None)


def bench(work: Path, size: int, given: argparse.Namespace) -> None:
    """Measures one size and writes its block."""
    work.mkdir()
    options = [f"--{name}={getattr(given, name)}" for name in ("seed", "snapshots", "hazards", "huge")]
    corpus = make_corpus(work, size, given.changes, options)
    loop = size <= given.loop_most
    print(f"\n{title(size, given):34}{'CPU s':>8} {'wall s':>8} {'peak MB':>8}", flush=True)
    found = rounds(corpus, given.rounds, loop, say)
    after = changes(corpus, say)
    left_out = [] if loop else [f"The plain loop is left out above {given.loop_most:,} trials."]
    sections = [results.ways(found), results.ratios(found), *left_out, results.parts(found)]
    sections += [results.after(after), results.hub(after)] if after else []
    print("\n" + "\n\n".join(sections), flush=True)
    huge = f" huge {given.huge:g}" if given.huge else ""
    results.write(f"{size}{huge}", title(size, given), [*about(given), *sections])


def title(size: int, given: argparse.Namespace) -> str:
    """What is built."""
    return f"{size:,} trials" + (f" and one of {given.huge:g} MB" if given.huge else "")


def about(given: argparse.Namespace) -> list[str]:
    """The machine, the command and the corpus."""
    usual = vars(arguments().parse_args([]))
    options = {name: value for name, value in vars(given).items() if value != usual[name]}
    for elsewhere in ("sizes", "work"):  # sizes have no name; where the corpora lay tells nobody anything
        options.pop(elsewhere, None)
    words = [*map(str, given.sizes), *(f"--{name.replace('_', '-')}={options[name]}" for name in options)]
    corpus = f"logs a trial: {given.snapshots}, seed: {given.seed}, hazards: {given.hazards:g}"
    return [
        results.machine(),
        f"`python bench/full.py {' '.join(words)}`; rounds: {given.rounds}, {corpus}.",
    ]


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", type=int, nargs="*", default=[400, 1600], help="trials (default 400 1600)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--changes", type=int, default=3, help="trials that come after the rounds (default 3)"
    )
    parser.add_argument("--snapshots", default="3", help="logs a trial: all, last, or a number (default 3)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--hazards", type=float, default=0.0, help="share of trials given a hazard")
    parser.add_argument("--huge", type=float, default=0.0, help="MB of the log of one more trial")
    parser.add_argument("--loop-most", type=int, default=1600, help="trials up to which the plain loop runs")
    parser.add_argument("--cores", help="such as 0,1 (default: all that are allowed)")
    parser.add_argument("--work", type=Path, help="where corpora and outputs lie meanwhile (default: /tmp)")
    return parser


def main() -> None:
    """Measures each size, the smallest first."""
    given = arguments().parse_args()
    if given.cores:
        os.sched_setaffinity(0, set(map(int, given.cores.split(","))))  # and with it every child
    if given.work:
        given.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench.", dir=given.work) as folder:
        warm_up(Path(folder) / "warm_up")
        for size in sorted(given.sizes):
            with tempfile.TemporaryDirectory(dir=folder) as work:
                bench(Path(work) / "bench", size, given)


if __name__ == "__main__":
    main()
