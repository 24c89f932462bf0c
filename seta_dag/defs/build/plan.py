"""What a rebuild has to do, decided by the files: for the command line, the sensor and the schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.up_to_date import inputs_of, is_finished
from seta_dag.defs.instance.mirror import report_built
from seta_dag.defs.partitions import range_of, register
from seta_dag.defs.resources import HubSettings, Project, StudentSettings
from seta_dag.errors import ConfigError
from seta_dag.executor.stage import failures, unbuilt
from seta_dag.hub.card.write import build_facts
from seta_dag.rollouts.merge import Merged, merge_runs

TASK_ASSETS = ("trials", "ctrf_reports", "tokens")
WHOLE_ASSETS = (
    "resume_chain",
    "ledger",
    "thinking_dataset",
    "nothink_dataset",
    "thinking_card",
    "nothink_card",
)
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

    def run_config(self, names: tuple[str, ...] | None = None) -> dict[str, Any]:
        """The same as the job takes it, for a run over the assets of those names (None: all)."""
        filters = {"min_reward": self.filters.min_reward, "max_tokens": self.filters.max_tokens}
        given = {name: value for name, value in filters.items() if value is not None}
        resources = {"project": self.project, "student": self.student, "hub": self.hub}
        ops = {"ledger": {"config": given}} if names is None or "ledger" in names else {}
        return {
            "ops": ops,
            "loggers": {"progress": {}},
            "resources": {name: {"config": one.model_dump()} for name, one in resources.items()},
        }


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """`tasks` are to be materialized; `failed` of them did so before, from the very same files.

    `finished`: all that is built over the tasks stands already. `inputs` identifies the whole input.
    """

    merged: Merged
    tasks: list[str]
    failed: list[str]
    finished: bool
    inputs: str


def plan_build(request: Request) -> BuildPlan:
    """Looks at the rollouts and the output directory; changes nothing. Raises `ConfigError`."""
    request.project.check()
    project, out = request.project, request.project.target
    student = request.student.find()
    merged = merge_runs(project.root, project.runs, student.identity)
    facts = build_facts(project.root, merged, student, request.filters, project.runs)
    inputs = inputs_of(merged, facts, request.hub.prose(), request.hub.pattern)
    failed = list(failures(out, merged.fingerprints))
    return BuildPlan(merged, _tasks(request, merged), failed, is_finished(out, inputs, merged), inputs)


def _tasks(request: Request, merged: Merged) -> list[str]:
    if request.task is None:
        return (
            list(merged.fingerprints)
            if request.full
            else unbuilt(request.project.target, merged.fingerprints)
        )
    if request.task not in merged.fingerprints:
        raise ConfigError(f"task {request.task}: it has no trial below {request.project.root}")
    return [request.task]


def prepare(instance: dg.DagsterInstance, request: Request, work: BuildPlan) -> Mapping[str, str]:
    """Makes the instance's partitions those on disk; gives the tags of the run over the work's tasks."""
    fingerprints = work.merged.fingerprints
    register(instance, fingerprints)
    built = set(fingerprints) - set(unbuilt(request.project.target, fingerprints))
    report_built(instance, asset_keys(TASK_ASSETS), built)
    return range_of(instance, work.tasks) if work.tasks else {}


def asset_keys(names: tuple[str, ...]) -> list[dg.AssetKey]:
    """Names as Dagster's keys."""
    return [dg.AssetKey(name) for name in names]
