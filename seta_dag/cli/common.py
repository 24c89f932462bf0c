"""What the commands share: errors as sentences, the output directory, the Dagster instance."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from seta_dag.errors import ConfigError, SetaError

if TYPE_CHECKING:
    from dagster import DagsterInstance

OUT = click.option("--out", default="", help="Output directory. Default: SETA_OUT, else data/out.")
STUDENT = click.option(
    "--student", default="", help="A folder or a Hub id. Default: SETA_STUDENT, else Qwen/Qwen3-8B."
)
VARIANT = click.Choice(["thinking", "nothink"])


class Sentences(click.Group):
    """Ends with one sentence and a code instead of a traceback, for all that is no fault of the program."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; 2 for bad configuration, 1 for anything else that is ours or the system's."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("seta-dag: interrupted; the same command goes on from here", err=True)
            sys.exit(1)
        except BrokenPipeError:  # the reader of our output has seen enough: click ends quietly
            raise
        except SetaError as error:
            click.echo(f"seta-dag: {error}", err=True)
            sys.exit(2 if isinstance(error, ConfigError) else 1)
        except OSError as error:
            click.echo(f"seta-dag: {error.filename or 'system'}: {error.strerror or error}", err=True)
            sys.exit(1)


@contextmanager
def instance() -> Iterator[DagsterInstance]:
    """The instance that the `dagster` command would use here: DAGSTER_HOME, else ./dagster.yaml."""
    import logging

    from dagster._cli.utils import get_possibly_temporary_instance_for_cli

    quiet = logging.getLogger("seta_dag.instance")
    quiet.setLevel(logging.WARNING)
    with get_possibly_temporary_instance_for_cli(logger=quiet) as found:
        yield found
