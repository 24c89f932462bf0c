"""What a rebuild costs after a small change, compared with a complete build in the same run.

    python bench/make_corpus.py ROLLOUTS --n 1600 --snapshots 3
    python bench/changes.py ROLLOUTS

Works on a copy of the rollouts. Each build is measured as a process from start to end. The tick of the
sensor is measured inside of a process, because the code server of `dagster dev` keeps running.
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

from measured import SETA_DAG, adopt_orphans, measure, new_home

SCATTERED = 16
# The first tick loads everything that later ones find loaded, so only the second one is measured.
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
    """Copy the corpus without a few trials; return those, and as many others to change later."""
    trials = sorted(trial for trial in (corpus / "trials").iterdir())
    picked = trials[:: len(trials) // (2 * SCATTERED)]
    shutil.copytree(corpus, rollouts, ignore=lambda _, names: {one.name for one in picked[::2]} & set(names))
    return picked[::2], [rollouts / "trials" / one.name for one in picked[1::2]]


def shorten(trials: Iterable[Path]) -> None:
    """Delete the last log of each trial, so that an earlier one is chosen and the row changes."""
    for trial in trials:
        max(trial.rglob("conv_*.json")).unlink()


def tick(rollouts: Path, out: Path, home: Path) -> str:
    """Return one line: what a tick of the sensor costs if nothing is new, and its message."""
    env = {"DAGSTER_HOME": str(home), "SETA_ROLLOUTS": str(rollouts), "SETA_OUT": str(out)}
    done = subprocess.run([sys.executable, "-c", TICK], check=True, capture_output=True, env=os.environ | env)
    cpu, wall, message = done.stdout.decode().splitlines()[-1].split(" ", 2)
    return f"{float(cpu):7.1f} CPU-s {float(wall):7.1f} s          {message}"


def main() -> None:
    """Print one line per change."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rollouts", type=Path)
    corpus: Path = parser.parse_args().rollouts
    adopt_orphans()
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
        complete = 0.0  # CPU seconds of the first build
        for name, change in steps.items():
            change()
            done = measure([SETA_DAG, "build", "--rollouts", str(rollouts), "--out", str(out)], home)
            complete = complete or done.cpu
            print(f"{name:16}{done.cpu:7.1f} CPU-s {done.wall:7.1f} s {done.cpu / complete:7.1%}", flush=True)
        print(f"{'a tick':16}{tick(rollouts, out, home)}")


if __name__ == "__main__":
    main()
