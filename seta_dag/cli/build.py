"""`seta-dag build`."""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seta_dag.cli.common import (
    CARD,
    CONFIG,
    NO_INSTANCE,
    OUT,
    ROLLOUTS,
    RUNS,
    STUDENT,
    WORKERS,
    filter_options,
)
from seta_dag.cli.terminal import complain, say

if TYPE_CHECKING:
    from seta_dag.defs.build.plan import Request
    from seta_dag.reports.summary import Summary

_NEW_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Nearly everything a build creates lives until it ends. With Python's default of 700, a fifth of a small
build's time goes into looking for garbage."""


@click.command(short_help="Build what is missing or changed.")
@ROLLOUTS
@RUNS
@OUT
@filter_options
@STUDENT
@CARD
@CONFIG
@WORKERS
@click.option("--task", help="Build only this task; tasks never built are then not_built in the ledger.")
@click.option("--full", is_flag=True, help="Build every task again, including those that did not change.")
@click.option("--prove-all", is_flag=True, help="Like --full, and compare every row with HF tokenizers.")
@click.option(
    "--redact/--no-redact",
    default=None,
    help="Replace secrets in the logs by [REDACTED:KIND], and drop trials with secrets in their text. "
    "Default: SETA_REDACT, else that of the last build, else no.",
)
@NO_INSTANCE
@click.option("--json", "as_json", is_flag=True, help="End with the summary as one line of JSON.")
def build(
    config: Path | None,
    workers: str,
    task: str | None,
    full: bool,
    prove_all: bool,
    no_instance: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Build both datasets: only tasks that are new or changed, then ledger, shards and cards.

    Filters are those of this command, --config and SETA_*; those of the last build are not used.

    Exit code 0: built. 1: a task or a check failed, or there are no rows. 2: bad configuration.
    """
    from seta_dag.defs.build.plan import Request
    from seta_dag.options.resolve import resolve

    out, options = resolve(given, config=config, stored_filters=False)
    request = Request(out, options, full=full or prove_all, task=task, prove_all=prove_all, workers=workers)
    sys.exit(_build(request, not no_instance, as_json))


def _build(request: Request, keep: bool, as_json: bool) -> int:
    from seta_dag.cli.progress import shown
    from seta_dag.defs.build.build import build as run_build
    from seta_dag.defs.build.build import planned, shown_before
    from seta_dag.defs.instance.open import open_instance
    from seta_dag.reports.summary import summarize
    from seta_dag.store.lock import waiting

    started = time.monotonic()
    gc.set_threshold(_NEW_OBJECTS_BETWEEN_COLLECTIONS)
    with shown() as display:
        display.say(f"looking for new and changed trials in {request.options.rollouts}")
        with planned(request, lambda: complain(waiting(request.out.root))) as plan:
            display.say(f"{len(plan.tasks):,} of {len(plan.merged.fingerprints):,} tasks to build")
            from seta_dag.definitions import code_location  # while the tokenizer loads

            with open_instance(request.out, keep) as instance:
                if (before := shown_before(instance, request.out)) is not None:
                    display.say(f"the UI showed {before} so far; it now shows {request.out.root}")
                result = run_build(code_location(), instance, request, plan)
    for failure in result.failures:
        complain(failure)
    if not result.accounted:
        return 1
    summary = summarize(request.out, result.tasks, result.rebuilt, time.monotonic() - started)
    _report(summary, as_json)
    return 1 if result.failures or not summary.rows["thinking"] else 0


def _report(summary: Summary, as_json: bool) -> None:
    """Print what a build did."""
    if not summary.rows["thinking"]:
        complain("no trial became a row; to see why: seta-dag ledger")
    if warning := summary.warning():
        complain(warning)
    say(summary.as_json() if as_json else summary.as_text())
