"""`seta-dag ui`: Dagster's UI over an output directory."""

from __future__ import annotations

import os
import sys
from importlib.resources import as_file, files

import click

from seta_dag.cli.common import OUT
from seta_dag.cli.terminal import say


@click.command(short_help="Start Dagster's UI.")
@OUT
@click.option("--port", type=click.IntRange(0, 65535), default=3000, help="Port of the UI. Default: 3000.")
def ui(out: str | None, port: int) -> None:
    """Start Dagster's UI, with the sensor that builds new rollouts; Ctrl-C ends it.

    It shows the runs of DAGSTER_HOME, else of ./dagster.yaml, else those in the output directory. It listens
    on this machine only and asks nobody for a password: do not make it reachable for others.
    """
    from seta_dag.defs.instance.home import instance_home
    from seta_dag.options.resolve import resolve

    layout, _ = resolve({"out": out})
    home = instance_home(layout)
    settings = os.environ | {"SETA_OUT": str(layout.root.absolute())}
    if home == layout.instance.absolute():  # `dagster dev` finds the others itself
        settings["DAGSTER_HOME"] = str(home)
    say(f"http://127.0.0.1:{port}  (runs are recorded in {home})")
    sys.stdout.flush()
    with as_file(files("seta_dag.defs.instance").joinpath("workspace.yaml")) as workspace:
        arguments = ["dev", "--workspace", str(workspace), "--host", "127.0.0.1", "--port", str(port)]
        # In place of this process, so that Ctrl-C and signals reach it directly.
        os.execve(sys.executable, [sys.executable, "-m", "dagster", *arguments], settings)  # noqa: S606
