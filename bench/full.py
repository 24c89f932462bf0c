"""Measure complete builds against a plain loop and the floor; write bench/RESULTS.md (Linux only).

    python bench/full.py 400 1600 [--rounds 3] [--loop-most 1600] [--huge MB] [--work DIR]

For each size, a corpus is written. Every way to build it runs once per round, each as a process of its
own, all on the same cores. Then a few trials are added one by one, with two builds after each: one of the
new trial, and one with nothing to do. The block of each size in RESULTS.md is replaced; others stay.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import cores
import results
from later import LABELS as CHANGES
from later import changes
from measured import Measured, adopt_orphans
from rounds import LABELS, make_corpus, rounds

_WARM_UP_TRIALS = 3


def show(name: str, measured: Measured) -> None:
    """Print one line of the table that grows while the benchmark runs."""
    label = {**LABELS, **CHANGES}[name]
    print(f"  {label:32}{measured.cpu:8.1f} {measured.wall:8.1f} {measured.peak_mb:8,.0f}", flush=True)


def warm_up(work: Path) -> None:
    """Run every way over a few trials, so that no measured one has to compile modules first."""
    work.mkdir()
    rounds(make_corpus(work, _WARM_UP_TRIALS, 0, []), 1, loop=True, progress=lambda *_: None)


def bench(work: Path, size: int, given: argparse.Namespace) -> None:
    """Measure one size and write its block."""
    work.mkdir()
    options = [f"--{name}={getattr(given, name)}" for name in ("seed", "snapshots", "hazards", "huge")]
    corpus = make_corpus(work, size, given.changes, options)
    loop = size <= given.loop_most
    print(f"\n{title(size, given):34}{'CPU s':>8} {'wall s':>8} {'peak MB':>8}", flush=True)
    found = rounds(corpus, given.rounds, loop, show)
    after = changes(corpus, show)
    left_out = [] if loop else [f"The plain loop is left out above {given.loop_most:,} trials."]
    sections = [results.ways(found), results.ratios(found), *left_out, cores.workers(found)]
    sections.append(results.parts(found))
    sections += [results.after(after), results.hub(after)] if after else []
    print("\n" + "\n\n".join(sections), flush=True)
    huge = f" huge {given.huge:g}" if given.huge else ""
    results.write(f"{size}{huge}", title(size, given), [*about(given), *sections])


def title(size: int, given: argparse.Namespace) -> str:
    """Return the title of a size: what is built."""
    return f"{size:,} trials" + (f" and one of {given.huge:g} MB" if given.huge else "")


def about(given: argparse.Namespace) -> list[str]:
    """Return what a reader needs to repeat the measurement: machine, command and corpus."""
    defaults = vars(arguments().parse_args([]))
    options = {name: value for name, value in vars(given).items() if value != defaults[name]}
    # Sizes are positional and added below; where the corpora were written makes no difference.
    for name in ("sizes", "work"):
        options.pop(name, None)
    words = [*map(str, given.sizes), *(f"--{name.replace('_', '-')}={options[name]}" for name in options)]
    corpus = f"logs per trial: {given.snapshots}, seed: {given.seed}, hazards: {given.hazards:g}"
    return [
        results.machine(),
        f"`python bench/full.py {' '.join(words)}`; rounds: {given.rounds}, {corpus}.",
    ]


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", type=int, nargs="*", default=[400, 1600], help="trials (default 400 1600)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--changes", type=int, default=3, help="trials that are added after the rounds (default 3)"
    )
    parser.add_argument("--snapshots", default="3", help="logs per trial: all, last, or a number (default 3)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--hazards", type=float, default=0.0, help="fraction of trials with a hazard")
    parser.add_argument(
        "--huge", type=float, default=0.0, help="size in MB of the log of one additional trial"
    )
    parser.add_argument(
        "--loop-most", type=int, default=1600, help="largest number of trials for which the plain loop runs"
    )
    parser.add_argument("--cores", help="cores to run on, such as 0,1 (default: all allowed)")
    parser.add_argument("--work", type=Path, help="folder for temporary corpora and outputs (default: /tmp)")
    return parser


def main() -> None:
    """Measure each size, the smallest first."""
    given = arguments().parse_args()
    adopt_orphans()
    if given.cores:
        os.sched_setaffinity(0, set(map(int, given.cores.split(","))))  # inherited by every child process
    if given.work:
        given.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench.", dir=given.work) as folder:
        warm_up(Path(folder) / "warm_up")
        for size in sorted(given.sizes):
            with tempfile.TemporaryDirectory(dir=folder) as work:
                bench(Path(work) / "bench", size, given)


if __name__ == "__main__":
    main()
