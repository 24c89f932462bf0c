"""What a rebuild has to do, decided by the files: for the command line, the sensor and the schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from seta_dag.dataset.up_to_date import inputs_of, is_finished
from seta_dag.defs.assets.partition_metadata import metadata_of_tasks
from seta_dag.defs.hub_settings import HubSettings
from seta_dag.defs.instance.mirror import report_built
from seta_dag.defs.partitions import range_of, register
from seta_dag.defs.resources import Project, StudentSettings, WorkerSettings, require_apart
from seta_dag.errors import ConfigError
from seta_dag.hub.card.prose import read_prose
from seta_dag.hub.card.write import build_facts
from seta_dag.options.build_options import BuildOptions
from seta_dag.rollouts.merge import Merged, merge_runs
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.built import failures, unbuilt
from seta_dag.tokens.row_settings import row_identity
from seta_dag.tokens.student.student import find_student

TASK_ASSETS = ("trials", "ctrf_reports", "tokens")
DATASET_ASSETS = (
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
    """What to build, from what.

    Attributes:
        out: output directory.
        options: everything the build depends on besides the rollouts.
        hub: where it is published, if anywhere.
        full: whether tasks that did not change are built again, too.
        task: the only task to build; None builds all.
        prove_all: whether every row is compared with the reference engine.
        workers: where the work is done, as `WorkerSettings` has it.
    """

    out: OutputLayout
    options: BuildOptions
    hub: HubSettings = field(default_factory=HubSettings)
    full: bool = False
    task: str | None = None
    prove_all: bool = False
    workers: str = ""

    @property
    def project(self) -> Project:
        """The directories as a resource, with nothing left to resolve."""
        return Project(rollouts=str(self.options.rollouts), out=str(self.out.root), runs=self.options.runs)

    @property
    def student(self) -> StudentSettings:
        """The student as a resource."""
        return StudentSettings(
            name=self.options.student, prove_all=self.prove_all, redact=self.options.redact
        )

    def run_config(self, names: tuple[str, ...] | None = None) -> dict[str, Any]:
        """Return the run config for a run over the assets called `names` (None: all)."""
        # The options are complete, so the ledger must not add stored filters to them.
        ledger = {"config": {**_listed(self.options.filters.values), "only_these": True}}
        hub = self.hub.model_copy(update={"card": str(self.options.card or "")})
        workers = WorkerSettings(workers=self.workers)
        resources = {"project": self.project, "student": self.student, "workers": workers, "hub": hub}
        return {
            # Dagster refuses config for an op that is not part of the run.
            "ops": {"ledger": ledger} if names is None or "ledger" in names else {},
            "loggers": {"progress": {}},
            "resources": {name: {"config": one.model_dump()} for name, one in resources.items()},
        }


def _listed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What a build has to do.

    Attributes:
        merged: the rollouts as they are now.
        tasks: tasks to materialize.
        failed: those of them that failed before, on the very same files.
        finished: whether ledger, datasets and cards are up to date already.
        inputs: hash of everything the build depends on.
    """

    merged: Merged
    tasks: list[str]
    failed: list[str]
    finished: bool
    inputs: str


def plan_build(request: Request) -> BuildPlan:
    """Compare the rollouts with the output directory; change nothing. Raises `ConfigError`."""
    out, options = request.out, request.options
    require_apart(out, options)
    student = find_student(options.student)
    merged = merge_runs(options.rollouts, options.runs, row_identity(student.identity, options.redact))
    facts = build_facts(options.rollouts, merged, student, options.filters, options.runs, options.redact)
    inputs = inputs_of(merged, facts, read_prose(options.card), request.hub.pattern)
    # A task that failed is not built, so `_tasks` has it, too; only the sensor leaves it out.
    failed = list(failures(out, merged.fingerprints))
    return BuildPlan(merged, _tasks(request, merged), failed, is_finished(out, inputs, merged), inputs)


def _tasks(request: Request, merged: Merged) -> list[str]:
    if request.task is None:
        return list(merged.fingerprints) if request.full else unbuilt(request.out, merged.fingerprints)
    if request.task not in merged.fingerprints:
        raise ConfigError(f"task {request.task}: it has no trial below {request.options.rollouts}")
    return [request.task]


def prepare(instance: dg.DagsterInstance, request: Request, plan: BuildPlan) -> Mapping[str, str]:
    """Make the instance's partitions those on disk, and return the tags of a run over the plan's tasks."""
    fingerprints = plan.merged.fingerprints
    register(instance, fingerprints)
    built = set(fingerprints) - set(unbuilt(request.out, fingerprints))
    # An instance can be newer than the files, for example after its history was deleted.
    report_built(
        instance,
        asset_keys(TASK_ASSETS),
        built,
        lambda asset, tasks: metadata_of_tasks(request.out, asset, fingerprints, tasks),
    )
    return range_of(instance, plan.tasks) if plan.tasks else {}


def asset_keys(names: tuple[str, ...]) -> list[dg.AssetKey]:
    """Return names as Dagster's keys."""
    return [dg.AssetKey(name) for name in names]
