"""Whether every task is built and every trial has its line in the ledger."""

from collections.abc import Iterator

import dagster as dg

from seta_dag.dataset.checks.recount import count_by_run, unaccounted
from seta_dag.dataset.ledger.ledger import read_ledger
from seta_dag.defs.assets.dataset import ledger
from seta_dag.defs.assets.tokens import tokens
from seta_dag.defs.checks.verdict import verdict
from seta_dag.defs.instance.mirror import report_failed
from seta_dag.defs.resources import Project
from seta_dag.options.stored import contradiction
from seta_dag.rollouts.merge import read_merged
from seta_dag.tokens.built import failures


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "every_task_is_built", asset=tokens, description="No task raised an error while it was built."
        )
    ]
)
def every_task_is_built(
    context: dg.AssetCheckExecutionContext, project: Project
) -> Iterator[dg.AssetCheckResult]:
    """Fail the run as well, after everything else is built: no build succeeds without its tasks."""
    merged = read_merged(project.target.resume_chain)
    found = failures(project.target, merged.fingerprints)
    failed = [f"{task}: {error}" for task, error in found.items()]
    yield verdict(failed, f"{len(merged.fingerprints)} tasks", "none failed")
    if failed:
        # Dagster would show the partitions of a range that succeeded as built, failed tasks among them.
        report_failed(context.instance, context.run, "tokens", found)
        raise dg.Failure(
            f"{len(failed)} of {len(merged.fingerprints)} tasks were not built", allow_retries=False
        )


@dg.asset_check(asset=ledger)
def every_trial_is_accounted_for(project: Project) -> dg.AssetCheckResult:
    """The ledger's lines, run by run, agree with a fresh listing of the rollouts directory."""
    out, options = project.resolve()
    # Listed again, without the merge: the check must not repeat a mistake of what it checks.
    listed, lines = count_by_run(options.rollouts, options.runs), read_ledger(out.ledger)
    other = contradiction(out, options)
    faults = (
        [other]
        if other
        else [f"{one}; if that changed during the build, build again" for one in unaccounted(lines, listed)]
    )
    return verdict(
        faults,
        f"{listed.total()} trials in {len(listed)} places on disk, {len(lines)} lines in the ledger",
        "place by place the same",
        {"trials on disk": listed.total(), "lines in the ledger": len(lines)},
    )
