"""Rebuilds without a person: a sensor that sees new rollouts, and a nightly schedule."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import read_filters
from seta_dag.defs.build.job import build
from seta_dag.defs.build.plan import (
    HUB_ASSETS,
    WHOLE_ASSETS,
    BuildPlan,
    Request,
    asset_keys,
    plan_build,
    prepare,
)
from seta_dag.defs.resources import HubSettings, Project, StudentSettings
from seta_dag.errors import SetaError
from seta_dag.rollouts.fingerprint import last_written
from seta_dag.store.lock import is_locked

INPUTS_TAG = "seta_dag/inputs"
_ON_ITS_WAY = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING)
_SECONDS_BETWEEN_LOOKS = 15


def request_rebuild(instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """One run over all that changed, or the reason why there is none now.

    The settings are read here: as resources Dagster would set them up for a run, which takes the lock.
    """
    project = Project()
    try:
        if is_locked(project.target.root):
            return dg.SkipReason(f"a rebuild writes to {project.target.root}; waiting for it to end")
        request = Request(project, StudentSettings(), HubSettings(), _filters_kept(project))
        work = plan_build(request)
        reason = _why_not(instance, project, work)
    except SetaError as error:
        return dg.SkipReason(str(error))
    return dg.SkipReason(reason) if reason else _run_request(instance, request, work)


def _filters_kept(project: Project) -> Filters:
    """The filters of the last build: a rebuild changes rows, not what was asked for."""
    ledger = project.target.ledger
    return read_filters(ledger) if ledger.is_file() else Filters()


def _why_not(instance: dg.DagsterInstance, project: Project, work: BuildPlan) -> str | None:
    fresh = [task for task in work.tasks if task not in work.failed]
    if not fresh and work.finished:
        return _nothing_new(len(work.merged.fingerprints), len(work.failed))
    if (quiet := _seconds_to_quiet(project.root, project.quiet_seconds, work, fresh)) > 0:
        return f"rollouts are still being written: their files must be quiet for {quiet:.0f} s more"
    runs = instance.get_runs(dg.RunsFilter(tags={INPUTS_TAG: work.inputs}), limit=1)
    if runs and runs[0].status in _ON_ITS_WAY:
        return f"run {runs[0].run_id[:8]} is about to build this"
    if runs and runs[0].status == dg.DagsterRunStatus.FAILURE:
        return f"run {runs[0].run_id[:8]} failed on these very rollouts; the next change is tried again"
    return None


def _nothing_new(tasks: int, failed: int) -> str:
    if not failed:
        return f"nothing new: all {tasks} tasks are built"
    return (
        f"nothing new: {tasks - failed} of {tasks} tasks are built, {failed} failed; a change is tried again"
    )


def _seconds_to_quiet(root: Path, quiet: float, work: BuildPlan, tasks: list[str]) -> float:
    of_task = work.merged.of_task()
    changed = [trial for task in tasks for trial in of_task[task]]
    return last_written(root, changed) + quiet - time.time() if changed else 0.0


def _run_request(instance: dg.DagsterInstance, request: Request, work: BuildPlan) -> dg.RunRequest:
    fresh = [task for task in work.tasks if task not in work.failed]
    tags: Mapping[str, str] = prepare(
        instance, request, BuildPlan(work.merged, fresh, [], False, work.inputs)
    )
    config: dict[str, Any] = request.run_config()
    return dg.RunRequest(
        run_config={"ops": config["ops"]},
        tags={**tags, INPUTS_TAG: work.inputs},
        asset_selection=None if tags else asset_keys(WHOLE_ASSETS + HUB_ASSETS),
    )


@dg.sensor(
    job=build,
    minimum_interval_seconds=_SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def new_rollouts(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Registers new tasks and requests one run over all that is new or changed, then the datasets."""
    return request_rebuild(context.instance)


def nightly(cron: str) -> dg.ScheduleDefinition:
    """The same at a fixed time; off until it is switched on in the UI."""

    @dg.schedule(
        name="nightly_rebuild", job=build, cron_schedule=cron, default_status=dg.DefaultScheduleStatus.STOPPED
    )
    def nightly_rebuild(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Rebuilds what is new or changed, once a night."""
        return request_rebuild(context.instance)

    return nightly_rebuild
