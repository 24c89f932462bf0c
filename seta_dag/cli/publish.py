"""`seta-dag publish`: card and shards to the Hub."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seta_dag.cli.common import CARD, CONFIG, NO_INSTANCE, OUT, ROLLOUTS, RUNS, STUDENT, VARIANT
from seta_dag.cli.terminal import complain, say

if TYPE_CHECKING:
    from seta_dag.defs.build.plan import Request
    from seta_dag.tokens.variants import Variant

PLANTED = "PLANTED_SECRETS.md"
"""A file in the rollouts root that says so, as in the sample."""


@click.command(short_help="Send card and shards to the Hub in one commit.")
@click.option("--repo", required=True, help="Hub id that contains {variant}: ORG/NAME-{variant}.")
@ROLLOUTS
@RUNS
@OUT
@click.option("--variant", type=VARIANT, multiple=True, help="Only this variant. Default: both.")
@STUDENT
@CARD
@CONFIG
@click.option("--private", is_flag=True, help="Create the repositories as private ones.")
@click.option("--pr", "pull_request", is_flag=True, help="Open a pull request instead of a commit on main.")
@click.option("--tag", default="", help="Tag the commit; auto: a name derived from the content.")
@click.option("--allowed", default="", help="File of fingerprints of secrets that may be published.")
@click.option("--allow-secrets", is_flag=True, help="Publish although secrets were found in the rows.")
@NO_INSTANCE
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check, scan and show what would be added, changed and deleted; writes only the local cards.",
)
def publish(
    rollouts: str | None, runs: str | None, out: str | None, student: str | None, card: str | None,
    config: Path | None, variant: tuple[Variant, ...], dry_run: bool, no_instance: bool, **hub: Any,
) -> None:  # fmt: skip
    """Publish card and shards to the Hub in one commit each, after every check and a scan for secrets.

    The token is HF_TOKEN or that of `hf auth login`; HF_ENDPOINT is respected. No commit if nothing changed.
    Exit code 0: published, or up to date. 1: refused, by a check or by the Hub. 2: bad configuration.
    """
    from seta_dag.defs.build.plan import Request
    from seta_dag.defs.hub_settings import HubSettings
    from seta_dag.options.resolve import resolve
    from seta_dag.tokens.variants import VARIANTS

    given = {"rollouts": rollouts, "runs": runs, "out": out, "student": student, "card": card}
    layout, options = resolve(given, config=config)
    sys.exit(
        _publish(Request(layout, options, HubSettings(**hub)), variant or VARIANTS, not no_instance, dry_run)
    )


def _publish(request: Request, variants: tuple[Variant, ...], keep: bool, dry_run: bool) -> int:
    from seta_dag.cli.progress import shown
    from seta_dag.definitions import code_location
    from seta_dag.defs.build.publish import publish as run_publish
    from seta_dag.defs.instance.open import open_instance

    if (note := request.options.rollouts / PLANTED).is_file():
        complain(f"these rollouts hold planted secrets, which a publish refuses: see {note}")
    for variant in variants:
        request.hub.target(variant)  # refuses an impossible Hub id before anything runs
    with shown(), open_instance(request.out, keep) as instance:
        published, failures = run_publish(code_location(), instance, request, variants, dry_run)
    for sentence in published:
        say(sentence)
    for failure in failures:
        complain(failure)
    if not failures and dry_run:
        _show_plans(request, variants)
    return 1 if failures else 0


def _show_plans(request: Request, variants: tuple[Variant, ...]) -> None:
    from seta_dag.errors import UnreachedError
    from seta_dag.hub.plan import plan_publish, plan_unseen
    from seta_dag.reports.plural import counted

    for variant in variants:
        target = request.hub.target(variant)
        request.hub.preflight(request.project).require(variant)
        try:
            plan = plan_publish(request.out.dataset(variant), target)
        except UnreachedError as error:
            complain(f"{error}; all files are shown as added")
            plan = plan_unseen(request.out.dataset(variant))
        say(f"{target.repo_id}: {counted(len(plan.changes), 'change')}, {plan.bytes_to_upload:,} bytes")
        for change in plan.changes:
            say(f"  {change.kind:<8} {change.size:>12,} {change.path}")
