"""Group rollouts: resume-chain merge, trial collection, CTRF reports."""

from collections import Counter
from typing import Any

import dagster as dg

from seta_dag.defs.assets.described import OWNERS
from seta_dag.defs.assets.task_stage import stage_result, table, tasks_in
from seta_dag.defs.build.handover import take_over
from seta_dag.defs.build.progress import ticker
from seta_dag.defs.partitions import ONE_RUN, TASKS, key_of
from seta_dag.defs.resources import Project, StudentSettings, WorkerSettings
from seta_dag.options.stored import store_options
from seta_dag.rollouts.collect_trials import collect_tasks
from seta_dag.rollouts.listing.links_out import links_out
from seta_dag.rollouts.merge import Merged, read_merged, write_merged
from seta_dag.rollouts.parse_reports import parse_tasks
from seta_dag.store.layout import FORMAT_VERSION

Result = dg.MaterializeResult[Any]


@dg.asset(
    group_name="rollouts",
    kinds={"python", "json"},
    backfill_policy=ONE_RUN,
    owners=OWNERS,
    code_version=FORMAT_VERSION,
)
def resume_chain(context: dg.AssetExecutionContext, project: Project, student: StudentSettings) -> Result:
    """Which trials are canonical and which are superseded, over all runs below the rollouts root.

    Of the trials of one task and trajectory in a chain, the last verified one is canonical. New tasks
    are registered as partitions.
    """
    out, options = student.options(project)
    merged = take_over(options.rollouts, options.runs, student.rows(project).row_identity)
    write_merged(out.resume_chain, merged)
    store_options(out, options, ["rollouts", "runs", "student", "redact"])
    # None is removed here: the range of this very run is defined by the registered tasks.
    context.instance.add_dynamic_partitions("task", [key_of(task) for task in merged.fingerprints])
    # A task depends on the merge only through its rules (this data version) and on its own trials (its
    # fingerprint). So no task looks stale just because the merge ran again.
    return dg.MaterializeResult(
        metadata=_merge_metadata(merged, project), data_version=dg.DataVersion(FORMAT_VERSION)
    )


def _merge_metadata(merged: Merged, project: Project) -> dict[str, Any]:
    trials = Counter(trial.run for trial in merged.trials)
    superseded = Counter(
        trial.run for trial in merged.trials if trial.task_id and trial.path not in merged.canonical
    )
    runs = [{"run": run, "trials": trials[run], "superseded": superseded[run]} for run in merged.runs]
    return {
        "rollouts": dg.MetadataValue.path(project.root),
        "runs": len(merged.runs),
        "tasks": len(merged.fingerprints),
        "trials": len(merged.trials),
        "canonical": len(merged.canonical),
        "superseded": superseded.total(),
        "failed rollouts": len(merged.failed),
        "links not followed": links_out(project.root, merged.runs),
        "by run": table(runs),
    }


@dg.asset(
    group_name="rollouts",
    kinds={"python", "json"},
    partitions_def=TASKS,
    backfill_policy=ONE_RUN,
    owners=OWNERS,
    code_version=FORMAT_VERSION,
    deps=[resume_chain],
)
def trials(
    context: dg.AssetExecutionContext, project: Project, student: StudentSettings, workers: WorkerSettings
) -> Result:
    """The trial directories of a task: their logs, their report, how the agent ended."""
    merged = read_merged(project.target.resume_chain)
    tasks = tasks_in(context, merged)
    # What the tokens will need is loaded meanwhile.
    place = workers.get(student.rows(project).warm_up(len(tasks)))
    report = collect_tasks(project.target, project.root, merged, tasks, ticker(context), place)
    return stage_result(context, project, report, tasks)


@dg.asset(
    group_name="rollouts",
    kinds={"python", "json"},
    partitions_def=TASKS,
    backfill_policy=ONE_RUN,
    owners=OWNERS,
    code_version=FORMAT_VERSION,
    deps=[trials],
)
def ctrf_reports(context: dg.AssetExecutionContext, project: Project, workers: WorkerSettings) -> Result:
    """The verifier's CTRF report of each trial of a task. The reward is passed / total tests."""
    merged = read_merged(project.target.resume_chain)
    tasks = tasks_in(context, merged)
    report = parse_tasks(project.target, project.root, merged, tasks, ticker(context), workers.get())
    return stage_result(context, project, report, tasks)
