"""`seta-dag` itself: help, and the console script."""

from __future__ import annotations

import subprocess

import click
import pytest

from seta_dag.cli import main
from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.command_line import run
from seta_dag_tests.support.processes import BIN


def test_console_script_exits_with_the_same_code(place: Place) -> None:
    done = subprocess.run(
        [BIN / "seta-dag", "ledger", "--out", place.out.root, "--reason", "nonsense"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("seta-dag: reason nonsense: not a reason; the reasons are bad_name, ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["", *main.commands])
def test_every_command_and_option_has_help(name: str) -> None:
    done = run(*([name] if name else []), "--help")
    command = main.commands[name] if name else main
    assert done.exit_code == 0 and command.help
    options = [one for one in command.params if isinstance(one, click.Option)]
    unhelpful = [one.name for one in options if not one.help and one.name != "variant" and one.name != "form"]
    assert unhelpful == []
    assert name or all(other in done.output for other in main.commands)
