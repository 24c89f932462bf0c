"""Group tokens: from each trial's conversation to token ids and a loss mask."""

import dagster as dg

from seta_dag.defs.assets.described import OWNERS
from seta_dag.defs.assets.rollouts import Result, ctrf_reports, trials
from seta_dag.defs.assets.task_stage import stage_result, tasks_in
from seta_dag.defs.build.progress import ticker
from seta_dag.defs.partitions import ONE_RUN, TASKS
from seta_dag.defs.resources import Project, StudentSettings, WorkerSettings
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.layout import FORMAT_VERSION
from seta_dag.tokens.tokenize_tasks import tokenize_tasks


@dg.asset(
    group_name="tokens",
    kinds={"python", "arrow"},
    partitions_def=TASKS,
    backfill_policy=ONE_RUN,
    owners=OWNERS,
    code_version=FORMAT_VERSION,
    deps=[trials, ctrf_reports],
)
def tokens(
    context: dg.AssetExecutionContext, project: Project, student: StudentSettings, workers: WorkerSettings
) -> Result:
    """Token ids and loss mask of each canonical trial of a task, in the thinking and nothink variants.

    The conversation is rendered with the student's chat template and tokenized with its tokenizer.
    """
    merged = read_merged(project.target.resume_chain)
    tasks = tasks_in(context, merged)
    rows = student.rows(project)
    place = workers.get(rows.warm_up(len(tasks)))
    report = tokenize_tasks(project.target, project.root, merged, rows, tasks, ticker(context), place)
    return stage_result(context, project, report, tasks)
