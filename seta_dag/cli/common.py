"""What the commands share: errors as sentences, and the options that several commands have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from seta_dag.cli.terminal import complain, neutral
from seta_dag.dataset.filters.registry import FILTERS
from seta_dag.errors import ConfigError, SetaError

Command = TypeVar("Command", bound=Callable[..., Any])

_LAST = "else that of the last build"
OUT = click.option("--out", help="Output directory. Default: SETA_OUT, else data/out.")
ROLLOUTS = click.option(
    "--rollouts", help=f"Rollouts root. Default: SETA_ROLLOUTS, {_LAST}, else data/rollouts."
)
RUNS = click.option(
    "--runs",
    help=f"Glob on names or paths of runs; other runs are ignored. Default: SETA_RUNS, {_LAST}, else *.",
)
STUDENT = click.option(
    "--student", help=f"Folder or Hub id. Default: SETA_STUDENT, {_LAST}, else Qwen/Qwen3-8B."
)
CARD = click.option(
    "--card", help=f"TOML file with your own words for the cards. Default: SETA_CARD, {_LAST}."
)
WORKERS = click.option(
    "--workers",
    default="",
    help="Number of processes, 1 for none but this one, or dask:ADDRESS or dask:FILE for a Dask cluster. "
    "Default: SETA_WORKERS, else one process per core.",
)
CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="TOML file with any of these options, by the same names.",
)
NO_INSTANCE = click.option(
    "--no-instance", is_flag=True, help="Keep no record of this run; the UI then does not show it."
)
VARIANT = click.Choice(["thinking", "nothink"])


def filter_options(command: Command) -> Command:
    """Add an option for every filter there is."""
    for one in reversed(FILTERS):  # decorators apply from the inside out
        option = one.option
        add = click.option(
            option.flag, one.name, type=option.kind, multiple=option.multiple, help=option.help
        )
        command = add(command)
    return command


class Sentences(click.Group):
    """A group whose commands end in one sentence and an exit code instead of a traceback."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the arguments before the command's name."""
        try:
            return super().make_context(*args, **extra)
        except click.ClickException as error:
            raise neutral(error) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Exit code 2 for bad configuration, 1 for other errors of ours or the system's."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            raise neutral(error) from None
        except KeyboardInterrupt:
            complain("interrupted; the same command continues from here")
            sys.exit(1)
        except BrokenPipeError:  # the reader of our output has seen enough, so click ends quietly
            raise
        except SetaError as error:
            complain(str(error))
            sys.exit(2 if isinstance(error, ConfigError) else 1)
        except OSError as error:
            complain(f"{error.filename or 'system'}: {error.strerror or error}")
            sys.exit(1)
