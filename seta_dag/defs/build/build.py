"""A build from the command line: one run of the one job, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from seta_dag.defs.build.failures import failures_in
from seta_dag.defs.build.handover import hand_over
from seta_dag.defs.build.plan import (
    DATASET_ASSETS,
    HUB_ASSETS,
    BuildPlan,
    Request,
    asset_keys,
    plan_build,
    prepare,
)
from seta_dag.defs.build.run import run_job
from seta_dag.defs.resources import WorkerSettings, require_apart
from seta_dag.options.stored import store_options
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.layout import OutputLayout
from seta_dag.store.lock import locked
from seta_dag.tokens.built import unbuilt
from seta_dag.tokens.row_settings import row_identity
from seta_dag.tokens.student.student import find_student


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did.

    Attributes:
        tasks: number of tasks in the rollouts.
        rebuilt: number of tasks that went through every stage.
        failures: a sentence for each step or check that failed.
        accounted: False if the run failed before its ledger was written, so that there is nothing to sum up.
    """

    tasks: int
    rebuilt: int
    failures: tuple[str, ...] = ()
    accounted: bool = True


@contextmanager
def planned(request: Request, waiting: Callable[[], None]) -> Iterator[BuildPlan]:
    """Hold the lock of the output directory, and yield what is missing or changed in it.

    The options are stored before anything is built, so that whatever finishes a killed build (the next
    command, the sensor) builds the same. `waiting` is called once if another build holds the lock. The
    tokenizer starts loading if it is needed. Raises `ConfigError`.
    """
    require_apart(request.out, request.options)
    with locked(request.out.root, waiting):
        # Under the lock, or a build that is running would lose its files.
        if request.full:
            request.out.forget()
        plan = plan_build(request)
        store_options(request.out, request.options)
        # Also says what is wrong with the setting, before anything is built.
        warm_up = request.student.rows(request.project).warm_up(len(plan.tasks))
        workers = WorkerSettings(workers=request.workers).get(warm_up)
        if plan.tasks:  # in the background, while the code location is imported
            workers.start()
        try:
            yield plan
        finally:
            workers.close()


def build(
    definitions: dg.Definitions, instance: dg.DagsterInstance, request: Request, plan: BuildPlan
) -> BuildResult:
    """Materialize the tasks of the plan, then ledger, datasets, cards and what is published."""
    # Even if nothing is to be built: a new Dagster instance has yet to learn what is on disk.
    tags, total = prepare(instance, request, plan), len(plan.merged.fingerprints)
    if not plan.tasks and plan.finished and _all_materialized(instance):
        return BuildResult(total, 0)
    # None is every asset; without tasks, only the unpartitioned ones can run.
    names = None if tags else DATASET_ASSETS + HUB_ASSETS
    assets = None if names is None else asset_keys(names)
    options = request.options
    identity = row_identity(find_student(options.student).identity, options.redact)
    hand_over(plan.merged, options.rollouts, options.runs, identity)
    events = run_job(definitions, instance, request.run_config(names), tags, assets)
    accounted = any(event.is_step_materialization and event.step_key == "ledger" for event in events)
    return BuildResult(total, _rebuilt(events), failures_in(events) or _left(request), accounted)


def _left(request: Request) -> tuple[str, ...]:
    """Return a sentence if tasks are still to be built although all were asked for."""
    left = (
        unbuilt(request.out, read_merged(request.out.resume_chain).fingerprints)
        if request.task is None
        else []
    )
    if not left:
        return ()
    were = "1 task was" if len(left) == 1 else f"{len(left):,} tasks were"
    return (f"{were} added, changed or damaged during this build: build again",)


def shown_before(instance: dg.DagsterInstance, out: OutputLayout) -> Path | None:
    """Return the output directory that this instance has shown so far, if it is another one."""
    event = instance.get_latest_materialization_event(dg.AssetKey("ledger"))
    path = event.asset_materialization.metadata.get("path") if event and event.asset_materialization else None
    before = Path(str(path.value)).parent if path else out.root
    return None if before.resolve() == out.root.resolve() else before


def _all_materialized(instance: dg.DagsterInstance) -> bool:
    """Return whether this instance has seen every unpartitioned asset."""
    events = (instance.get_latest_materialization_event(key) for key in asset_keys(DATASET_ASSETS))
    return all(event is not None for event in events)


def _rebuilt(events: Sequence[dg.DagsterEvent]) -> int:
    """Count the tasks that went through their last stage; those that failed are not among them."""
    totals = (event for event in events if event.is_asset_observation and event.step_key == "tokens")
    found = next(totals, None)
    observed = found.asset_observation_data.asset_observation if found else None
    return int(observed.metadata["tasks"].value) if observed else 0  # type: ignore[arg-type]
