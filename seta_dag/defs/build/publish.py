"""A publish from the command line: the cards written for the Hub ids asked for, then sent."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from seta_dag.defs.build.failures import failures_in
from seta_dag.defs.build.plan import HUB_ASSETS, Request, asset_keys
from seta_dag.defs.build.run import run_job
from seta_dag.tokens.variants import Variant


def publish(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    request: Request,
    variants: Sequence[Variant],
    dry_run: bool,
) -> tuple[list[str], tuple[str, ...]]:
    """Writes the cards of the variants for the repo asked for and, unless it is a dry run, publishes
    them. Gives a sentence for each dataset published and for each step or check that failed.

    Raises `ConfigError` before anything is written where the settings are not those of the build.
    """
    request.hub.gate(request.project).require_its_rollouts()
    kinds = ("card",) if dry_run else ("card", "hub")
    names = tuple(f"{variant}_{kind}" for variant in variants for kind in kinds)
    events = run_job(definitions, instance, request.run_config(names), {}, asset_keys(names))
    published = [event for event in events if event.is_step_materialization and event.step_key in HUB_ASSETS]
    return [_published_sentence(event) for event in published], failures_in(events)


def _published_sentence(event: dg.DagsterEvent) -> str:
    said = {name: value.value for name, value in event.materialization.metadata.items()}
    return f"{event.step_key}: commit {said['commit']}, {said['bytes uploaded']:,} bytes, {said['url']}"
