"""Run `seta-dag` commands in the process of the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from seta_dag.cli import main
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.builds import Place

TASKS = ("UPPER_Case__007", "a", "ctrf_empty_file")
"""Two of them give a row; the test report of the third is an empty file."""


def run(*arguments: object) -> Result:
    """Run `seta-dag` in this process; it may exit with a code, but not raise anything else."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert "Traceback" not in done.output and "[Errno" not in done.output
    return done


def build(place: Place, *options: object) -> Result:
    """Run `seta-dag build` in a place; the last line of its output is JSON."""
    return run("build", "--rollouts", place.rollouts, "--out", place.out.root, "--json", *options)


def summary(done: Result) -> dict[str, Any]:
    """Return the last line of the output, parsed as JSON."""
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def complete(arguments: list[str], place: Place, root: Path) -> list[str]:
    """Fill in `{root}` and `{rollouts}`, and add the place's --rollouts and --out if they are missing."""
    named = [one.replace("{root}", str(root)).replace("{rollouts}", str(place.rollouts)) for one in arguments]
    given = {"--rollouts": place.rollouts, "--out": place.out.root}
    accepted = {option for one in main.commands[named[0]].params for option in one.opts}
    missing = [(name, str(path)) for name, path in given.items() if name in accepted and name not in named]
    return [named[0], *(part for pair in missing for part in pair), *named[1:]]


def stage_file(out: OutputLayout, task: str) -> Path:
    """Return the file of a task in the last stage."""
    return next(path for path in out.stage("tokens").iterdir() if path.name.startswith(f"{task}-"))


def only_shard(out: OutputLayout) -> Path:
    """Return the only shard of the thinking dataset."""
    (path,) = shard_paths(out.dataset("thinking"))
    return path
