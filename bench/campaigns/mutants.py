"""Build damaged trials: `python bench/campaigns/mutants.py [MUTANTS] [SEED]`, by default 8,000 and 1.

The mutants are built next to the sample, in batches of 1,000. Prints one line of figures: no build may fail,
no trial may be missing from the ledger or fail its task, and no row of the sample may change.

On a shared machine of two cores, 8,000 mutants in 8 builds took 10 minutes: 0 builds failed, 0 tasks failed,
0 trials missing, 0 rows of the sample changed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import dagster as dg

from seta_dag_tests.defs.build.test_mutants import rows
from seta_dag_tests.support.builds import SAMPLE, Place
from seta_dag_tests.support.mutants import mutants

_BATCH = 1000


def main(count: int, seed: int) -> None:
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        shutil.copytree(SAMPLE, place.rollouts)
        with dg.DagsterInstance.ephemeral() as instance:
            assert not place.build(instance).failures
        before = rows(place, "thinking")
        for number in range(0, count, _BATCH):
            counts += one(place, min(_BATCH, count - number), seed * 1_000_000 + number, before)
    names = ("mutants", "builds", "builds failed", "tasks failed", "trials missing", "rows changed")
    print(", ".join(f"{name} {counts[name]}" for name in names))


def one(place: Place, count: int, seed: int, before: dict[str, dict[str, object]]) -> Counter[str]:
    run = place.rollouts / "mutants"
    mutants(SAMPLE, run, count, seed)
    with dg.DagsterInstance.ephemeral() as instance:
        failures = place.build(instance).failures
    lines = [line for line in place.ledger() if line.run == "mutants"]
    after = rows(place, "thinking")
    shutil.rmtree(run)
    return Counter(
        {
            "mutants": count,
            "builds": 1,
            "builds failed": bool(failures),
            "tasks failed": sum(line.reason == "task_failed" for line in lines),
            "trials missing": count - len({line.trial_uid for line in lines}),
            "rows changed": sum(after.get(uid) != row for uid, row in before.items()),
        }
    )


if __name__ == "__main__":
    main(*(int(given) for given in (*sys.argv[1:], *("8000", "1")[len(sys.argv) - 1 :])))
