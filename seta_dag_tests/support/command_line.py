"""Run `seta-dag` commands in the process of the tests."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from seta_dag.cli import main
from seta_dag.dataset.shards.reader import shard_paths
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.builds import Place

TASKS = ("UPPER_Case__007", "a", "ctrf_empty_file")
"""Two of them give a row, the third has a report of no bytes."""


def run(*arguments: object) -> Result:
    """Runs `seta-dag` in this process. It may end with an exit code, but never with another exception."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert "Traceback" not in done.output and "[Errno" not in done.output
    return done


def build(place: Place, *options: object) -> Result:
    """`seta-dag build` of a place, with one line of JSON at its end."""
    return run("build", "--rollouts", place.rollouts, "--out", place.out.root, "--json", *options)


def summary(done: Result) -> dict[str, object]:
    """The last line as JSON."""
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def filled(arguments: list[str], place: Place, root: Path) -> list[str]:
    """The arguments with places in them; rollouts and OUT are those of `place`, unless they say otherwise."""
    named = [one.replace("{root}", str(root)).replace("{rollouts}", str(place.rollouts)) for one in arguments]
    given = {"--rollouts": place.rollouts, "--out": place.out.root}
    accepted = {option for one in main.commands[named[0]].params for option in one.opts}
    missing = [(name, str(path)) for name, path in given.items() if name in accepted and name not in named]
    return [named[0], *(part for pair in missing for part in pair), *named[1:]]


def first(out: OutputLayout, task: str) -> Path:
    """The stage file of a task."""
    return next(path for path in out.stage("tokens").iterdir() if path.name.startswith(f"{task}-"))


def shard(out: OutputLayout) -> Path:
    """The only shard of the thinking rows."""
    (path,) = shard_paths(out.dataset("thinking"))
    return path
