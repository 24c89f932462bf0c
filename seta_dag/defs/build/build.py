"""A build from the command line: one run of the one job, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from seta_dag.defs.build.failures import failures_in
from seta_dag.defs.build.plan import (
    HUB_ASSETS,
    WHOLE_ASSETS,
    BuildPlan,
    Request,
    asset_keys,
    plan_build,
    prepare,
)
from seta_dag.defs.build.run import run_job
from seta_dag.executor.stage import unbuilt
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.lock import locked


@dataclass(frozen=True, slots=True)
class BuildOutcome:
    """What a build did: tasks in all and really rebuilt, a sentence for each step or check that failed."""

    tasks: int
    rebuilt: int
    failures: tuple[str, ...] = ()


@contextmanager
def planned(request: Request, waiting: Callable[[], None]) -> Iterator[BuildPlan]:
    """Holds the output directory and says what is missing or changed. Raises `ConfigError`.

    `waiting` is called once if another build holds it. The tokenizer begins to load, if it is needed.
    """
    request.project.check()
    with locked(request.project.target.root, waiting):
        if request.full:
            request.project.target.forget()
        work = plan_build(request)
        if work.tasks:
            request.student.load_ahead()
        yield work


def build(
    definitions: dg.Definitions, instance: dg.DagsterInstance, request: Request, work: BuildPlan
) -> BuildOutcome:
    """Materializes the tasks of `work`, and what stands over them."""
    tags, total = prepare(instance, request, work), len(work.merged.fingerprints)
    if not work.tasks and work.finished and _all_materialized(instance):
        return BuildOutcome(total, 0)
    names = None if tags else WHOLE_ASSETS + HUB_ASSETS
    assets = None if names is None else asset_keys(names)
    events = run_job(definitions, instance, request.run_config(names), tags, assets)
    return BuildOutcome(total, _rebuilt(events), failures_in(events) or _left(request))


def _left(request: Request) -> tuple[str, ...]:
    """A sentence where tasks are still to be built, although all were asked for."""
    out = request.project.target
    left = unbuilt(out, read_merged(out.resume_chain).fingerprints) if request.task is None else []
    if not left:
        return ()
    return (f"{len(left)} tasks came, changed or were damaged while this build ran: build again",)


def _all_materialized(instance: dg.DagsterInstance) -> bool:
    """Whether this instance has seen the assets over all tasks."""
    events = (instance.get_latest_materialization_event(key) for key in asset_keys(WHOLE_ASSETS))
    return all(event is not None for event in events)


def _rebuilt(events: Sequence[dg.DagsterEvent]) -> int:
    """How many tasks went through their last stage; those that failed are not among them."""
    made = [event for event in events if event.is_step_materialization and event.step_key == "tokens"]
    return int(made[0].materialization.metadata["tasks"].value) if made else 0  # type: ignore[arg-type]
