"""`seta-dag build`."""

from __future__ import annotations

import gc
import sys
import time
from typing import TYPE_CHECKING

import click

from seta_dag.cli.common import OUT, STUDENT

if TYPE_CHECKING:
    from seta_dag.defs.build.plan import Request

_NEW_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""What a build makes lives to its end; with Python's 700 a fifth of a small build looks for garbage."""


@click.command()
@click.option("--rollouts", default="", help="Rollouts root. Default: SETA_ROLLOUTS, else data/rollouts.")
@click.option(
    "--runs",
    default="*",
    help="Only runs whose name or path below the root matches this glob; the others count for nothing.",
)
@OUT
@click.option("--min-reward", type=float, help="Drop rows with a lower reward (0 to 1).")
@click.option("--max-tokens", type=int, help="Drop rows with more tokens than this in either variant.")
@STUDENT
@click.option("--task", help="Build this task only; tasks never built are then not_built in the ledger.")
@click.option("--full", is_flag=True, help="Build every task again, also those that did not change.")
@click.option("--prove-all", is_flag=True, help="As --full, and hold every row against HF tokenizers.")
@click.option("--card", default="", help="TOML file with your own words for the cards. Default: SETA_CARD.")
@click.option("--json", "as_json", is_flag=True, help="End with the summary as one line of JSON.")
def build(
    rollouts: str, runs: str, out: str, min_reward: float | None, max_tokens: int | None,
    student: str, task: str | None, full: bool, prove_all: bool, card: str, as_json: bool,
) -> None:  # fmt: skip
    """Build both datasets: only tasks that are new or changed, then ledger, shards and cards.

    Exit code 0: built. 1: a task or a check failed, or there is no row. 2: bad configuration.
    """
    from seta_dag.dataset.filters.filters import Filters
    from seta_dag.defs.build.plan import Request
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
    from seta_dag.cli.progress import shown
    from seta_dag.defs.build.build import build as run_build
    from seta_dag.defs.build.build import planned
    from seta_dag.defs.instance.open import open_instance
    from seta_dag.reports.summary import summarize

    started = time.monotonic()
    gc.set_threshold(_NEW_OBJECTS_BETWEEN_COLLECTIONS)
    with shown() as display:
        display.say(f"looking for new and changed trials in {request.project.root}")
        with planned(request, _say_waiting) as work:
            display.say(f"{len(work.tasks):,} of {len(work.merged.fingerprints):,} tasks to build")
            from seta_dag.definitions import code_location  # while the tokenizer loads

            with open_instance() as instance:
                outcome = run_build(code_location(), instance, request, work)
    for failure in outcome.failures:
        click.echo(f"seta-dag: {failure}", err=True)
    summary = summarize(request.project.target, outcome.tasks, outcome.rebuilt, time.monotonic() - started)
    if not summary.rows["thinking"]:
        click.echo("seta-dag: no trial became a row; see why with: seta-dag ledger", err=True)
    click.echo(summary.as_json() if as_json else summary.as_text())
    return 1 if outcome.failures or not summary.rows["thinking"] else 0


def _say_waiting() -> None:
    click.echo("another build writes to the same output directory; waiting for it to end", err=True)
