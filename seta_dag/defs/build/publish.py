"""A publish from the command line: write the cards for the requested Hub ids, then send the datasets."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from seta_dag.defs.build.failures import failures_in
from seta_dag.defs.build.plan import HUB_ASSETS, Request, asset_keys
from seta_dag.defs.build.run import run_job
from seta_dag.options.stored import require_same_build
from seta_dag.tokens.variants import Variant


def publish(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    request: Request,
    variants: Sequence[Variant],
    dry_run: bool,
) -> tuple[list[str], tuple[str, ...]]:
    """Write the variants' cards for the requested repo and, unless it is a dry run, publish them.

    Returns:
        A sentence for each published dataset, and one for each step or check that failed.

    Raises:
        ConfigError: the options are not those of the build; nothing was written.
    """
    require_same_build(request.out, request.options)
    request.hub.preflight(request.project).require_its_rollouts()
    # Cards first: they name the repo, which the last build may not have known.
    kinds = ("card",) if dry_run else ("card", "hub")
    names = tuple(f"{variant}_{kind}" for variant in variants for kind in kinds)
    events = run_job(definitions, instance, request.run_config(names), {}, asset_keys(names))
    published = [event for event in events if event.is_step_materialization and event.step_key in HUB_ASSETS]
    return [_published_sentence(event) for event in published], failures_in(events)


def _published_sentence(event: dg.DagsterEvent) -> str:
    of = {name: value.value for name, value in event.materialization.metadata.items()}
    return f"{event.step_key}: commit {of['commit']}, {of['bytes uploaded']:,} bytes, {of['url']}"
