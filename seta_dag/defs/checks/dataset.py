"""Whether the rows in the shards are those of the ledger and of the build, and proved."""

from collections.abc import Iterator

import dagster as dg

from seta_dag.dataset.checks.proofs import PROOFS, ProofReport, read_proofs, refused_by
from seta_dag.dataset.checks.reasoning import read_reasoning
from seta_dag.dataset.checks.rows import altered_rows, wrong_lengths, wrong_rows, wrong_schemas
from seta_dag.dataset.ledger.ledger import read_ledger
from seta_dag.dataset.shards.known import read_shards
from seta_dag.defs.assets.dataset import DATASETS
from seta_dag.defs.checks.verdict import SHOWN, verdict
from seta_dag.defs.resources import Project
from seta_dag.rollouts.merge import read_merged
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.variants import VARIANTS, Variant

READ_BACK = {
    "schema": "Columns, types and metadata of the shards are exactly those of a row.",
    "rows_match_the_ledger": "The rows read back from the shards are the ledger's rows, in order.",
    "lengths": "Ids, mask and counts of each row are consistent.",
    "as_built": "Every other column of each row is as the build wrote it, the log byte for byte.",
}


def _dataset_checks(variant: Variant) -> dg.AssetChecksDefinition:
    key = DATASETS[variant].key

    @dg.multi_asset_check(
        name=f"{variant}_dataset_checks",
        specs=[
            dg.AssetCheckSpec(name, asset=key, description=text, blocking=True)
            for name, text in (READ_BACK | PROOFS).items()
        ],
        can_subset=True,  # so that the UI can run one of them
    )
    def dataset_checks(
        context: dg.AssetCheckExecutionContext, project: Project
    ) -> Iterator[dg.AssetCheckResult]:
        for result in _results(project, variant, key):
            # A check is reported even if an earlier one failed, so that the UI shows all that is wrong.
            if dg.AssetCheckKey(key, result.check_name or "") in context.selected_asset_check_keys:
                yield result

    return dataset_checks


def _results(project: Project, variant: Variant, key: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    out, lines = project.target, read_ledger(project.target.ledger)
    folder = out.dataset(variant)
    shards = read_shards(folder, out.shard_facts(variant))
    outcomes = OUTCOMES.built(out, read_merged(out.resume_chain).fingerprints)
    read_back = {
        "schema": wrong_schemas(folder),
        "rows_match_the_ledger": wrong_rows(shards, lines, variant),
        "lengths": wrong_lengths(shards),
        "as_built": altered_rows(shards, outcomes, variant),
    }
    checked = f"{sum(len(shard.rows) for shard in shards)} rows in {len(shards)} shards"
    for name, faults in read_back.items():
        yield verdict(faults, checked, check_name=name, asset_key=key)
    report = read_proofs(shards, outcomes, variant)
    yield from (_proof_verdict(report, name, key) for name in PROOFS)


def _proof_verdict(report: ProofReport, proof: str, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Fail if a row in the shards is not proved; warn if the proof dropped a trial."""
    checked = f"{report.rows[proof]} proved rows, {report.tokens[proof]} tokens"
    if report.unproved:
        faults = [f"{uid}: not the row that was proved" for uid in report.unproved]
        return verdict(faults, checked, check_name=proof, asset_key=key)
    # A dropped trial is no fault of the dataset, which is right without it, hence a warning.
    refused = [f"{uid}: {detail}" for uid, detail in report.refused.items() if refused_by(proof, detail)]
    return verdict(refused, checked, check_name=proof, asset_key=key, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(
    asset=DATASETS["thinking"],
    blocking=True,
    description="The thinking dataset has reasoning. A teacher that does not think gives a warning.",
)
def there_is_reasoning(project: Project) -> dg.AssetCheckResult:
    """Fail if no row has reasoning although a log holds some; warn if no log does."""
    report = read_reasoning(read_ledger(project.target.ledger))
    seen = f"{report.with_reasoning} of {report.turns} assistant turns have reasoning"
    if report.lost:
        return verdict([f"{seen}; logs of these trials hold some: {', '.join(report.lost[:SHOWN])}"], seen)
    silent = [f"{seen}, and no log holds any"] if report.has_none else []
    return verdict(silent, seen, severity=dg.AssetCheckSeverity.WARN)


DATASET_CHECKS = [_dataset_checks(variant) for variant in VARIANTS]
