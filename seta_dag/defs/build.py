"""A build from the command line: the files decide what to materialize, the one job does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from seta_dag.dataset.filters import Filters
from seta_dag.dataset.finished import inputs_of, is_finished, mark_finished
from seta_dag.defs.mirror import report_built
from seta_dag.defs.partitions import range_of, register
from seta_dag.defs.resources import HubSettings, Project, StudentSettings
from seta_dag.errors import ConfigError
from seta_dag.hub.write_card import build_facts
from seta_dag.lock import locked
from seta_dag.rollouts.merged import Merged, merge_runs
from seta_dag.stages import unbuilt

TASK_ASSETS = ("trials", "ctrf_reports", "tokens")
WHOLE_ASSETS = (
    "resume_chain", "ledger", "thinking_dataset", "nothink_dataset", "thinking_card", "nothink_card",
)  # fmt: skip
HUB_ASSETS = ("thinking_hub", "nothink_hub")


@dataclass(frozen=True, slots=True)
class Request:
    """What to build from what. `full` builds every task again, `task` only that one."""

    project: Project
    student: StudentSettings
    hub: HubSettings
    filters: Filters = field(default_factory=Filters)
    full: bool = False
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build did: tasks in all and rebuilt, and a sentence for each step or check that failed."""

    tasks: int
    rebuilt: int
    failures: tuple[str, ...] = ()


def build(
    definitions: dg.Definitions, instance: dg.DagsterInstance, request: Request, waiting: Callable[[], None]
) -> Outcome:
    """Materializes what is missing or changed. Raises `ConfigError` before anything is built.

    `waiting` is called once if another build holds the output directory.
    """
    request.project.check()
    student = request.student.find()
    with locked(request.project.target.root, waiting):
        merged = merge_runs(request.project.root, request.project.runs, student.identity)
        return _build(definitions.resolve_job_def("build"), instance, request, merged)


def _build(job: dg.JobDefinition, instance: dg.DagsterInstance, request: Request, merged: Merged) -> Outcome:
    out, inputs = request.project.target, _inputs(request, merged)
    missing = unbuilt(out, merged.fingerprints)
    tasks = _tasks(missing, merged, request)
    register(instance, merged.fingerprints)
    report_built(instance, _assets(TASK_ASSETS), set(merged.fingerprints) - set(missing))
    if not tasks and is_finished(out, inputs) and _all_materialized(instance):
        return Outcome(len(merged.fingerprints), 0)
    tags = range_of(instance, tasks) if tasks else {}
    failures = _run(job, instance, request, tags)
    if not failures:
        mark_finished(out, inputs)
    return Outcome(len(merged.fingerprints), len(tasks), failures)


def _inputs(request: Request, merged: Merged) -> str:
    project, student = request.project, request.student.find()
    facts = build_facts(project.root, merged, student, request.filters, project.runs)
    return inputs_of(merged, facts, request.hub.prose(), request.hub.pattern)


def _tasks(missing: list[str], merged: Merged, request: Request) -> list[str]:
    if request.task is None:
        return list(merged.fingerprints) if request.full else missing
    if request.task not in merged.fingerprints:
        raise ConfigError(f"task {request.task}: it has no trial below {request.project.root}")
    return [request.task]


def _all_materialized(instance: dg.DagsterInstance) -> bool:
    """Whether this instance has seen the assets over all tasks."""
    events = (instance.get_latest_materialization_event(key) for key in _assets(WHOLE_ASSETS))
    return all(event is not None for event in events)


def _run(
    job: dg.JobDefinition, instance: dg.DagsterInstance, request: Request, tags: Mapping[str, str]
) -> tuple[str, ...]:
    """One run: the tasks that the tags name and then everything over all tasks, or only the latter."""
    result = job.execute_in_process(
        run_config=_run_config(request),
        instance=instance,
        raise_on_error=False,
        tags=tags,
        asset_selection=None if tags else _assets(WHOLE_ASSETS + HUB_ASSETS),
    )
    failed = [event for event in result.all_events if event.is_failure]
    checks = [check for check in result.get_asset_check_evaluations() if not check.passed]
    errors = [check for check in checks if check.severity == dg.AssetCheckSeverity.ERROR]
    return (*map(_step_sentence, failed), *map(_check_sentence, errors))


def _assets(names: tuple[str, ...]) -> list[dg.AssetKey]:
    return [dg.AssetKey(name) for name in names]


def _run_config(request: Request) -> dict[str, Any]:
    filters = {"min_reward": request.filters.min_reward, "max_tokens": request.filters.max_tokens}
    given = {name: value for name, value in filters.items() if value is not None}
    return {
        "loggers": {"progress": {}},
        "ops": {"ledger": {"config": given}},
        "resources": {
            "project": {"config": request.project.model_dump()},
            "student": {"config": request.student.model_dump()},
            "hub": {"config": request.hub.model_dump()},
        },
    }


def _step_sentence(event: dg.DagsterEvent) -> str:
    data = event.event_specific_data
    error = getattr(data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    message = error.message.strip() if error is not None else event.message
    return f"{event.step_key or event.job_name}: {message}"


def _check_sentence(check: dg.AssetCheckEvaluation) -> str:
    return f"{check.asset_key.to_user_string()}: check {check.check_name} failed: {check.description}"
