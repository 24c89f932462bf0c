"""Asset checks: each reads again what was written and holds it against something else."""

from collections.abc import Sequence

import dagster as dg

from seta_dag.dataset.ledger import read_ledger
from seta_dag.dataset.listing import count_by_run, unaccounted
from seta_dag.dataset.readback import wrong_lengths, wrong_rows, wrong_schemas
from seta_dag.defs.dataset import DATASETS, ledger
from seta_dag.defs.resources import Project
from seta_dag.defs.tokens import tokens
from seta_dag.rollouts.merged import read_merged
from seta_dag.stages import failures
from seta_dag.tokens.render import VARIANTS, Variant

_SHOWN = 20


def verdict(faults: Sequence[str], seen: str) -> dg.AssetCheckResult:
    """Passed where nothing is at fault; says what was looked at, or what is wrong."""
    shown = "; ".join(faults[:_SHOWN])
    return dg.AssetCheckResult(
        passed=not faults, description=shown or seen, metadata={"faults": len(faults), "seen": seen}
    )


@dg.asset_check(asset=tokens)
def every_task_is_built(project: Project) -> dg.AssetCheckResult:
    """No task raised while it was built."""
    merged = read_merged(project.target.resume_chain)
    failed = failures(project.target, merged.fingerprints)
    sentences = [f"{task}: {error}" for task, error in failed.items()]
    return verdict(sentences, f"{len(merged.fingerprints)} tasks, none raised")


@dg.asset_check(asset=ledger)
def every_trial_is_accounted_for(project: Project) -> dg.AssetCheckResult:
    """The ledger's lines, run by run, against a fresh listing of the rollouts directory."""
    listed = count_by_run(project.root, project.runs)
    faults = unaccounted(read_ledger(project.target.ledger), listed)
    return verdict(faults, f"{listed.total()} trials in {len(listed)} places on disk, all in the ledger")


def _dataset_checks(variant: Variant) -> list[dg.AssetChecksDefinition]:
    asset = DATASETS[variant]

    @dg.asset_check(asset=asset, description="The shards' columns, types and metadata are exactly a row's.")
    def schema(project: Project) -> dg.AssetCheckResult:
        return verdict(wrong_schemas(project.target.dataset(variant)), "every shard has the schema of a row")

    @dg.asset_check(asset=asset, description="The rows read back from the shards are the ledger's rows.")
    def rows_match_the_ledger(project: Project) -> dg.AssetCheckResult:
        lines = [line for line in read_ledger(project.target.ledger) if line["disposition"] == "row"]
        faults = wrong_rows(project.target.dataset(variant), lines, variant)
        return verdict(faults, f"{len(lines)} rows, the same in ledger and shards")

    @dg.asset_check(asset=asset, description="Each row's ids, mask and counts fit together.")
    def lengths(project: Project) -> dg.AssetCheckResult:
        faults = wrong_lengths(project.target.dataset(variant))
        return verdict(faults, "ids, mask and counts of every row fit together")

    return [schema, rows_match_the_ledger, lengths]


CHECKS = [
    every_task_is_built,
    every_trial_is_accounted_for,
    *(check for variant in VARIANTS for check in _dataset_checks(variant)),
]
