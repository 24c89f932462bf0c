"""Rebuilds without a person: a sensor that notices new rollouts, and a nightly schedule."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import dagster as dg

from seta_dag.defs.build.job import build_job
from seta_dag.defs.build.plan import (
    DATASET_ASSETS,
    HUB_ASSETS,
    TASK_ASSETS,
    BuildPlan,
    Request,
    asset_keys,
    plan_build,
    prepare,
)
from seta_dag.defs.resources import Project
from seta_dag.errors import SetaError
from seta_dag.rollouts.fingerprint import last_written
from seta_dag.store.lock import is_locked

INPUTS_TAG = "seta_dag/inputs"
_STARTING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING)
_CANCELLED = (dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.CANCELING)
_SECONDS_BETWEEN_TICKS = 15


def request_rebuild(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """Request one run over everything that changed, or say why there is none now.

    The options are those of a run from the UI: environment, then the last build, then the defaults. They
    are resolved here because Dagster would set the resources up as for a run, which takes the lock.
    """
    project = Project()
    try:
        out, options = project.resolve()
        # A tick does not wait for the lock; the next one, 15 seconds later, tries again.
        if is_locked(out.root):
            return dg.SkipReason(f"a rebuild is writing to {out.root}; waiting for it to finish")
        request = Request(out, options)
        plan = plan_build(request)
        reason = _why_not(instance, request, project.quiet_seconds, plan)
    except SetaError as error:  # the UI shows a skipped tick's reason; an error would be a traceback
        return dg.SkipReason(str(error))
    return dg.SkipReason(reason) if reason else _run_request(instance, request, plan)


def _why_not(
    instance: dg.DagsterInstance, request: Request, quiet_seconds: float, plan: BuildPlan
) -> str | None:
    fresh = _fresh(plan)
    if not fresh and plan.finished:
        return _nothing_new(len(plan.merged.fingerprints), len(plan.failed))
    if (left := _seconds_to_quiet(request.options.rollouts, quiet_seconds, plan, fresh)) > 0:
        return f"rollouts are still being written: their files must be quiet for another {left:.0f} s"
    _note_cancelled(instance, plan)
    # The newest run over the same inputs: without it, every tick would repeat a run that fails.
    runs = instance.get_runs(dg.RunsFilter(tags={INPUTS_TAG: plan.inputs}), limit=1)
    if runs and runs[0].status in _CANCELLED:
        return f"run {runs[0].run_id[:8]} was cancelled; the next change is built"
    if runs and runs[0].status in _STARTING:
        return f"run {runs[0].run_id[:8]} is about to build this"
    if runs and runs[0].status == dg.DagsterRunStatus.FAILURE:
        return f"run {runs[0].run_id[:8]} failed on exactly these rollouts; the next change is tried again"
    return None


def _note_cancelled(instance: dg.DagsterInstance, plan: BuildPlan) -> None:
    """Mark a cancelled run of ours, whoever started it, with the inputs that are there now.

    A run from the UI has no inputs in its tags. What changed while it was running counts as seen by whoever
    cancelled it.
    """
    newest = next(iter(instance.get_runs(limit=1)), None)
    if newest is None or newest.status not in _CANCELLED or INPUTS_TAG in newest.tags:
        return
    ours = set(asset_keys(TASK_ASSETS + DATASET_ASSETS + HUB_ASSETS))
    if newest.job_name == build_job.name or ours & (newest.asset_selection or set()):
        instance.add_run_tags(newest.run_id, {INPUTS_TAG: plan.inputs})


def _fresh(plan: BuildPlan) -> list[str]:
    """Return the tasks worth building: one that failed would fail again until its files change."""
    failed = set(plan.failed)
    return [task for task in plan.tasks if task not in failed]


def _nothing_new(tasks: int, failed: int) -> str:
    if not failed:
        return f"nothing new: all {tasks} tasks are built"
    return (
        f"nothing new: {tasks - failed} of {tasks} tasks are built, {failed} failed; a change is tried again"
    )


def _seconds_to_quiet(root: Path, quiet: float, plan: BuildPlan, tasks: list[str]) -> float:
    of_task = plan.merged.of_task()
    # Only trials of tasks that would be built: files that no row depends on may go on being written.
    changed = [trial for task in tasks for trial in of_task[task]]
    return last_written(root, changed) + quiet - time.time() if changed else 0.0


def _run_request(instance: dg.DagsterInstance, request: Request, plan: BuildPlan) -> dg.RunRequest:
    tags: Mapping[str, str] = prepare(instance, request, replace(plan, tasks=_fresh(plan)))
    return dg.RunRequest(
        tags={**tags, INPUTS_TAG: plan.inputs},
        # Without a range of tasks, the partitioned assets cannot be part of the run.
        asset_selection=None if tags else asset_keys(DATASET_ASSETS + HUB_ASSETS),
    )


@dg.sensor(
    job=build_job,
    description="Registers new tasks, and requests a run over all that is new or changed, then the datasets.",
    minimum_interval_seconds=_SECONDS_BETWEEN_TICKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def new_rollouts(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Register new tasks and request one run over everything new or changed, then the datasets."""
    return request_rebuild(context.instance)


def nightly(cron: str) -> dg.ScheduleDefinition:
    """Return a schedule that does the same at a fixed time; off until it is switched on in the UI."""

    @dg.schedule(
        name="nightly_rebuild",
        job=build_job,
        description="Rebuilds what is new or changed at a fixed time.",
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def nightly_rebuild(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Rebuild what is new or changed, once a night."""
        return request_rebuild(context.instance)

    return nightly_rebuild
