"""`seta-dag publish`: card and shards to the Hub."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from seta_dag.cli.common import OUT, STUDENT, VARIANT

if TYPE_CHECKING:
    from seta_dag.defs.build.plan import Request
    from seta_dag.tokens.variants import Variant


@click.command()
@click.option("--repo", required=True, help="Hub id with {variant} in it: ORG/NAME-{variant}.")
@click.option("--rollouts", default="", help="Rollouts root. Default: SETA_ROLLOUTS, else data/rollouts.")
@click.option("--runs", default="*", help="The glob on runs that the dataset was built with.")
@OUT
@click.option("--variant", type=VARIANT, multiple=True, help="Only this variant. Default: both.")
@STUDENT
@click.option("--private", is_flag=True, help="Create the repositories as private ones.")
@click.option("--pr", is_flag=True, help="Open a pull request instead of a commit on main.")
@click.option("--tag", default="", help="Tag the commit; auto: a name made from the content.")
@click.option("--card", default="", help="TOML file with your own words for the cards. Default: SETA_CARD.")
@click.option("--allowed", default="", help="File of fingerprints of secrets that may be published.")
@click.option("--allow-secrets", is_flag=True, help="Publish although secrets were found in the rows.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check, scan and say what would be added, changed and deleted; writes only the local cards.",
)
def publish(
    repo: str, rollouts: str, runs: str, out: str, variant: tuple[Variant, ...], student: str, private: bool,
    pr: bool, tag: str, card: str, allowed: str, allow_secrets: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Put card and shards on the Hub in one commit each, after every check and a scan for secrets.

    The token is HF_TOKEN or that of `hf auth login`; HF_ENDPOINT is respected. Nothing changed, no commit.
    Exit code 0: published, or there already. 1: refused, by a check or by the Hub. 2: bad configuration.
    """
    from seta_dag.defs.build.plan import Request
    from seta_dag.defs.resources import HubSettings, Project, StudentSettings
    from seta_dag.tokens.variants import VARIANTS

    hub = HubSettings(
        repo=repo, private=private, pull_request=pr, tag=tag, card=card, allowed=allowed,
        allow_secrets=allow_secrets,
    )  # fmt: skip
    project = Project(rollouts=rollouts, out=out, runs=runs)
    request = Request(project, StudentSettings(name=student), hub)
    sys.exit(_publish(request, variant or VARIANTS, dry_run))


def _publish(request: Request, variants: tuple[Variant, ...], dry_run: bool) -> int:
    from seta_dag.cli.progress import shown
    from seta_dag.definitions import code_location
    from seta_dag.defs.build.publish import publish as run_publish
    from seta_dag.defs.instance.open import open_instance

    for variant in variants:
        request.hub.target(variant)  # refuses an impossible Hub id before anything runs
    with shown(), open_instance() as instance:
        done, failures = run_publish(code_location(), instance, request, variants, dry_run)
    for sentence in done:
        click.echo(sentence)
    for failure in failures:
        click.echo(f"seta-dag: {failure}", err=True)
    if not failures and dry_run:
        _show_plans(request, variants)
    return 1 if failures else 0


def _show_plans(request: Request, variants: tuple[Variant, ...]) -> None:
    from seta_dag.hub.plan import plan_publish

    for variant in variants:
        target = request.hub.target(variant)
        request.hub.gate(request.project).require(variant)
        plan = plan_publish(request.project.target.dataset(variant), target)
        click.echo(f"{target.repo_id}: {len(plan.changes) or 'no'} changes, {plan.bytes_to_upload:,} bytes")
        for change in plan.changes:
            click.echo(f"  {change.kind:<8} {change.size:>12,} {change.path}")
