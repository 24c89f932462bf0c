"""The command line: `seta-dag`. It materializes through the asset graph, never around it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from seta_dag import __version__
from seta_dag.errors import ConfigError, SetaError

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from seta_dag.defs.rebuild import Request

OUT = click.option("--out", help="Output directory. Default: SETA_OUT, else data/out.", default="")


class _Sentences(click.Group):
    """Ends with one sentence and a code instead of a traceback, for every error that is ours."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SetaError as error:
            click.echo(f"seta-dag: {error}", err=True)
            sys.exit(2 if isinstance(error, ConfigError) else 1)


@click.group(cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Agent rollouts in, token-exact SFT datasets out.

    \b
    seta-dag build                       build what is missing or changed, from data/rollouts
    seta-dag ledger --reason no_tests    see which trials were dropped, and why
    dagster dev                          see and run every stage in the browser
    """


@main.command()
@click.option("--rollouts", default="", help="Rollouts root. Default: SETA_ROLLOUTS, else data/rollouts.")
@click.option("--runs", default="*", help="Only runs whose name or path below the root matches this glob.")
@OUT
@click.option("--min-reward", type=float, help="Drop rows with a lower reward (0 to 1).")
@click.option("--max-tokens", type=int, help="Drop rows with more tokens than this in either variant.")
@click.option(
    "--student", default="", help="A folder or a Hub id. Default: SETA_STUDENT, else Qwen/Qwen3-8B."
)
@click.option("--task", help="Build this task only; tasks never built are then not_built in the ledger.")
@click.option("--full", is_flag=True, help="Build every task again, also those that did not change.")
@click.option("--prove-all", is_flag=True, help="As --full, and hold every row against HF tokenizers.")
@click.option("--card", default="", help="TOML file with your own words for the cards. Default: SETA_CARD.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the summary as one JSON object, as the last line."
)
def build(
    rollouts: str, runs: str, out: str, min_reward: float | None, max_tokens: int | None,
    student: str, task: str | None, full: bool, prove_all: bool, card: str, as_json: bool,
) -> None:  # fmt: skip
    """Build both datasets: only tasks that are new or changed, then ledger, shards and cards.

    Exit code 0: built. 1: a task or a check failed, or there is no row. 2: bad configuration.
    """
    from seta_dag.dataset.filters import Filters
    from seta_dag.defs.rebuild import Request
    from seta_dag.defs.resources import HubSettings, Project, StudentSettings

    request = Request(
        Project(rollouts=rollouts, out=out, runs=runs),
        StudentSettings(name=student, prove_all=prove_all),
        HubSettings(card=card),
        Filters(min_reward, max_tokens),
        full or prove_all,
        task,
    )
    sys.exit(_build(request, as_json))


def _build(request: Request, as_json: bool) -> int:
    import time

    from seta_dag.dataset.summary import summarize
    from seta_dag.definitions import code_location
    from seta_dag.defs.build import build as run_build

    started = time.monotonic()
    with _instance() as instance:
        outcome = run_build(
            code_location(), instance, request, lambda: click.echo("  waiting for another build", err=True)
        )
    summary = summarize(request.project.target, outcome.tasks, outcome.rebuilt, time.monotonic() - started)
    for failure in outcome.failures:
        click.echo(f"seta-dag: {failure}", err=True)
    click.echo(summary.as_json() if as_json else summary.as_text())
    return 1 if outcome.failures or not summary.rows["thinking"] else 0


@contextmanager
def _instance() -> Iterator[DagsterInstance]:
    """The instance that the `dagster` command would use here: DAGSTER_HOME, else ./dagster.yaml."""
    import logging

    from dagster._cli.utils import get_possibly_temporary_instance_for_cli

    quiet = logging.getLogger("seta_dag.instance")
    quiet.setLevel(logging.WARNING)
    with get_possibly_temporary_instance_for_cli(logger=quiet) as instance:
        yield instance


@main.command()
@OUT
@click.option("--reason", help="Only trials dropped for this reason.")
def ledger(out: str, reason: str | None) -> None:
    """Show what became of every trial: a row, superseded, or dropped with a reason."""
    from seta_dag.dataset.ledger import REASONS, read_ledger
    from seta_dag.dataset.ledger_text import as_table
    from seta_dag.defs.resources import Project
    from seta_dag.out import existing

    if reason is not None and reason not in REASONS:
        raise ConfigError(f"reason {reason}: none of {', '.join(REASONS)}")
    lines = read_ledger(existing(Project(out=out).target.ledger, "the datasets with: seta-dag build"))
    click.echo(as_table([line for line in lines if reason in (None, line["reason"])]))
