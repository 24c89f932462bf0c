"""Compare the CPU time of builds by this checkout and by another one (Linux only).

    python bench/against.py OTHER [--trials 600] [--snapshots all] [--rounds 5] [--work DIR]

Both checkouts build the same corpus in turn, each build as a process of its own with the same packages. The
corpus has all logs of each trial, about 25, unless --snapshots says otherwise: this is how the cost of
reading them is measured. Prints one line per build, then a block for RESULTS.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

import results
from measured import Measured, measure, new_home
from rounds import make_corpus

HERE = Path(__file__).parents[1]
_BUILD = "from seta_dag.cli import main; main()"


def build(checkout: Path, rollouts: Path, work: Path) -> Measured:
    """Build a corpus with the code of a checkout, into a new output directory."""
    shutil.rmtree(work, ignore_errors=True)
    home = new_home(work / "home")
    command = [sys.executable, "-c", _BUILD, "build", "--rollouts", str(rollouts), "--out", str(work / "out")]
    return measure(["env", f"PYTHONPATH={checkout}", *command], home)


def main() -> None:
    """Measure all rounds, and print the block."""
    given = arguments().parse_args()
    checkouts = {"the other checkout": given.other.resolve(), "this checkout": HERE}
    found: dict[str, list[Measured]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory(prefix="bench.", dir=given.work) as folder:
        corpus = make_corpus(Path(folder), given.trials, 0, [f"--snapshots={given.snapshots}"])
        for number in range(given.rounds):
            # In turn and not always in the same order, so that neither has the warmer caches.
            for name in sorted(checkouts, reverse=bool(number % 2)):
                found[name].append(build(checkouts[name], corpus.rollouts, Path(folder) / "built"))
                print(f"  {name:20}{found[name][-1].cpu:8.1f} CPU s", flush=True)
    print("\n" + "\n\n".join(block(given, found)))


def block(given: argparse.Namespace, found: dict[str, list[Measured]]) -> list[str]:
    """Return the sections of the block: how it was measured, the table, and the ratio within each round."""
    rows = [(name, *results.figures(measured)) for name, measured in found.items()]
    pairs = zip(found["this checkout"], found["the other checkout"], strict=True)
    ratio = results.spread([this.cpu / other.cpu for this, other in pairs], ".3f")
    cpu = {name: median(one.cpu for one in measured) for name, measured in found.items()}
    per_trial = 1000 * (cpu["this checkout"] - cpu["the other checkout"]) / given.trials
    return [
        results.machine(),
        f"`python bench/against.py OTHER --trials {given.trials} --snapshots {given.snapshots}`; "
        f"rounds: {given.rounds}.",
        results.table(("build", "CPU s", "wall s", "peak MB"), rows),
        f"CPU ratio within a round: {ratio}; {per_trial:+.1f} ms per trial.",
    ]


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", type=Path, help="another checkout of this repository")
    parser.add_argument("--trials", type=int, default=600)
    parser.add_argument("--snapshots", default="all", help="logs per trial: all, last, or a number")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="folder for temporary corpora and outputs (default: /tmp)")
    return parser


if __name__ == "__main__":
    main()
