"""A generated run with one trial per hazard of `bench/make_corpus.py`, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.make_corpus import HAZARDS, Pools, Settings, make_trial
from seta_dag.rollouts.listing.trials import find_runs, list_trials
from seta_dag.tokens.example import RowMaker
from seta_dag_tests.support.written import Written, write_row

POOLS = Pools(
    [
        "Return the number of seconds that the call took.",
        "The file is opened in text mode, unless told otherwise.",
        "Raises an error where the name is not known!",
        "Is there another way to find the cause of it?",
    ],
    [
        ["total 12", "-rw-r--r-- 1 root root  811 Apr  1 12:00 main.py", "drwxr-xr-x 2 root root 4096 .git"],
        ["import sys", "", "def main() -> None:", '    print("naïve café", sys.argv)', "", "main()"],
        [f"{n:04x}  {n * n:>8}  {'#' * (n % 7)}" for n in range(40)],
    ],
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """A run whose trial number n has hazard number n, each trial with its last three logs.

    Attributes:
        root: the directory of the run, which is also the rollouts root.
    """

    root: Path

    @classmethod
    def make(cls, root: Path) -> Corpus:
        """Write the corpus below `root`."""
        for index, hazard in enumerate(HAZARDS):
            make_trial(root, index, Settings(seed=7, snapshots="3"), POOLS, hazard)
        return cls(root)

    def trial(self, hazard: str) -> str:
        """Return the uid of the trial with the hazard."""
        index = list(HAZARDS).index(hazard)
        (path,) = (self.root / "trials").glob(f"*__task_{index:04d}_t0_*")
        return path.name

    def row(self, hazard: str, maker: RowMaker) -> Written:
        """Build the trial with the hazard and read the result back."""
        (run,) = find_runs(self.root)
        (trial,) = (trial for trial in list_trials(self.root, run) if trial.uid == self.trial(hazard))
        return write_row(self.root, trial, maker, self.root / f"{hazard}.arrow")

    def logs(self, hazard: str) -> list[Path]:
        """Return the logs of the trial with the hazard, oldest first."""
        return sorted((self.root / "trials" / self.trial(hazard)).rglob("conv_*.json"))
