"""The command line: `seta-dag`. It materializes through the asset graph, never around it.

Heavy imports stand inside the commands, so that `--help` and mistakes answer at once.
"""

from __future__ import annotations

import click

from seta_dag import __version__
from seta_dag.cli.build import build
from seta_dag.cli.common import Sentences
from seta_dag.cli.export import export
from seta_dag.cli.inspect_row import inspect
from seta_dag.cli.ledger import ledger
from seta_dag.cli.publish import publish
from seta_dag.cli.verify import verify


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Agent rollouts in, token-exact SFT datasets out.

    \b
    seta-dag build                       build what is missing or changed, from data/rollouts
    seta-dag ledger --reason no_tests    see which trials were dropped, and why
    seta-dag inspect TASK                see every turn and token of a row
    seta-dag publish --repo 'ORG/NAME-{variant}' --dry-run
    dagster dev                          see and run every stage in the browser

    SETA_ROLLOUTS and SETA_OUT set the directories for every command and for Dagster.
    """


for command in (build, ledger, inspect, publish, export, verify):
    main.add_command(command)
