"""The command line, `seta-dag`, one module per command.

Builds and publishes run through the asset graph. Heavy imports are inside the commands, so that `--help` and
mistakes answer at once. `common` has what commands share, `progress` what a person sees during a build.
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
from seta_dag.cli.ui import ui
from seta_dag.cli.verify import verify


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Agent rollouts in, token-exact SFT datasets out.

    \b
    seta-dag build                       build what is missing or changed, from data/rollouts
    seta-dag ledger --reason no_tests    show which trials were dropped, and why
    seta-dag inspect TASK                show every turn and token of a row
    seta-dag publish --repo 'ORG/NAME-{variant}' --dry-run
    seta-dag ui                          see and run every stage in the browser

    Options come from the command line, then --config, then SETA_* variables, then the last build.
    """


for command in (build, ui, ledger, inspect, publish, export, verify):
    main.add_command(command)
