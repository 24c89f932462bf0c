"""What a rebuild costs after a small change, against building all of it, in the same run.

    python bench/make_corpus.py ROLLOUTS --n 1600 --snapshots 3
    python bench/changes.py ROLLOUTS

Works on a copy. Each build is a process of its own, from its start to its end; the sensor's tick is
timed within one, as the code server of `dagster dev` keeps running.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from measured import SETA_DAG, measure, new_home

SCATTERED = 16
TICK = """
import time
import dagster as dg
from seta_dag.definitions import code_location
sensor = code_location().resolve_sensor_def("new_rollouts")
with dg.DagsterInstance.get() as instance, dg.build_sensor_context(instance) as context:
    sensor.evaluate_tick(context)
    wall, cpu = time.monotonic(), time.process_time()
    tick = sensor.evaluate_tick(context)
    print(time.process_time() - cpu, time.monotonic() - wall, tick.skip_message)
"""


def leave_out(corpus: Path, rollouts: Path) -> tuple[list[Path], list[Path]]:
    """Copies the corpus but for a few trials; gives those left out, and as many that will change."""
    trials = sorted(trial for trial in (corpus / "trials").iterdir())
    picked = trials[:: len(trials) // (2 * SCATTERED)]
    shutil.copytree(corpus, rollouts, ignore=lambda _, names: {one.name for one in picked[::2]} & set(names))
    return picked[::2], [rollouts / "trials" / one.name for one in picked[1::2]]


def shorten(trials: Iterable[Path]) -> None:
    """Each trial loses its last log, so an earlier one is chosen and its row is another."""
    for trial in trials:
        max(trial.rglob("conv_*.json")).unlink()


def tick(rollouts: Path, out: Path, home: Path) -> str:
    """What a tick of the sensor costs over what stands, and what it says."""
    env = {"DAGSTER_HOME": str(home), "SETA_ROLLOUTS": str(rollouts), "SETA_OUT": str(out)}
    done = subprocess.run([sys.executable, "-c", TICK], check=True, capture_output=True, env=os.environ | env)
    cpu, wall, said = done.stdout.decode().splitlines()[-1].split(" ", 2)
    return f"{float(cpu):7.1f} CPU-s {float(wall):7.1f} s          {said}"


def main() -> None:
    """Prints one line a change."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rollouts", type=Path)
    corpus: Path = parser.parse_args().rollouts
    with tempfile.TemporaryDirectory() as folder:
        rollouts, out, home = Path(folder) / "rollouts", Path(folder) / "out", new_home(Path(folder) / "home")
        new, changing = leave_out(corpus, rollouts)

        def add(trials: Iterable[Path]) -> None:
            for trial in trials:
                shutil.copytree(trial, rollouts / "trials" / trial.name)

        steps: dict[str, Callable[[], None]] = {
            "everything": lambda: None,
            "nothing new": lambda: None,
            "one new trial": lambda: add(new[:1]),
            f"{SCATTERED} scattered": lambda: (add(new[1:9]), shorten(changing[:8]))[0],
        }
        whole = 0.0
        for name, change in steps.items():
            change()
            done = measure([SETA_DAG, "build", "--rollouts", str(rollouts), "--out", str(out)], home)
            whole = whole or done.cpu
            print(f"{name:16}{done.cpu:7.1f} CPU-s {done.wall:7.1f} s {done.cpu / whole:7.1%}", flush=True)
        print(f"{'a tick':16}{tick(rollouts, out, home)}")


if __name__ == "__main__":
    main()
