"""What the commands share: errors as sentences, the output directory, the Dagster instance."""

from __future__ import annotations

import sys
from typing import Any

import click

from seta_dag.errors import ConfigError, SetaError

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
