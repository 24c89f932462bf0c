"""Asset checks: each reads what was written again, and compares it with an independent source."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from seta_dag.dataset.checks.proofs import PROOFS, ProofReport, read_proofs, refused_by
from seta_dag.dataset.checks.reasoning import read_reasoning
from seta_dag.dataset.checks.recount import count_by_run, unaccounted
from seta_dag.dataset.checks.rows import altered_rows, wrong_lengths, wrong_rows, wrong_schemas
from seta_dag.dataset.ledger.ledger import count_dispositions, read_filters, read_ledger
from seta_dag.dataset.shards.known import read_shards
from seta_dag.defs.assets.dataset import DATASETS, ledger
from seta_dag.defs.assets.hub import CARDS
from seta_dag.defs.assets.tokens import tokens
from seta_dag.defs.instance.mirror import report_failed
from seta_dag.defs.resources import Project
from seta_dag.hub.card.check import check_card
from seta_dag.options.stored import contradiction
from seta_dag.rollouts.merge import read_merged
from seta_dag.tokens.built import failures
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.variants import VARIANTS, Variant

_SHOWN = 20
"""Number of faults that a check's description spells out; the metadata has the count of all."""

READ_BACK = {
    "schema": "Columns, types and metadata of the shards are exactly those of a row.",
    "rows_match_the_ledger": "The rows read back from the shards are the ledger's rows, in order.",
    "lengths": "Ids, mask and counts of each row are consistent.",
    "as_built": "Every other column of each row is as the build wrote it, the log byte for byte.",
}


def verdict(faults: Sequence[str], seen: str, **about: Any) -> dg.AssetCheckResult:
    """Return a result that passes without faults, and says what was checked or what is wrong."""
    shown = "; ".join(faults[:_SHOWN])
    return dg.AssetCheckResult(
        passed=not faults, description=shown or seen, metadata={"faults": len(faults), "seen": seen}, **about
    )


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
    yield verdict(failed, f"{len(merged.fingerprints)} tasks, none failed")
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
    listed = count_by_run(options.rollouts, options.runs)
    other = contradiction(out, options)
    missing = unaccounted(read_ledger(out.ledger), listed)
    faults = (
        [other] if other else [f"{one}; if that changed during the build, build again" for one in missing]
    )
    return verdict(faults, f"{listed.total()} trials in {len(listed)} places on disk, all in the ledger")


def _dataset_checks(variant: Variant) -> dg.AssetChecksDefinition:
    key = DATASETS[variant].key

    @dg.multi_asset_check(
        name=f"{variant}_dataset_checks",
        specs=[
            dg.AssetCheckSpec(name, asset=key, description=text, blocking=True)
            for name, text in (READ_BACK | PROOFS).items()
        ],
    )
    def dataset_checks(project: Project) -> Iterator[dg.AssetCheckResult]:
        out, lines = project.target, read_ledger(project.target.ledger)
        folder, rows = out.dataset(variant), count_dispositions(lines)["row"]
        shards = read_shards(folder, out.shard_facts(variant))
        outcomes = OUTCOMES.built(out, read_merged(out.resume_chain).fingerprints)
        read_back = {
            "schema": wrong_schemas(folder),
            "rows_match_the_ledger": wrong_rows(shards, lines, variant),
            "lengths": wrong_lengths(shards),
            "as_built": altered_rows(shards, outcomes, variant),
        }
        # A check is reported even if an earlier one failed, so that the UI shows all that is wrong at once.
        for name, faults in read_back.items():
            yield verdict(faults, f"{rows} rows", check_name=name, asset_key=key)
        report = read_proofs(shards, outcomes, variant)
        for name in PROOFS:
            yield _proof_verdict(report, name, key)

    return dataset_checks


def _proof_verdict(report: ProofReport, proof: str, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Fail if a row in the shards is not proved; warn if the proof dropped a trial."""
    rows, tokens = report.rows[proof], report.tokens[proof]
    seen = f"{rows} rows, {tokens} tokens"
    if report.unproved:
        return verdict(
            [f"{uid}: not the row that was proved" for uid in report.unproved],
            seen,
            check_name=proof,
            asset_key=key,
        )
    # A dropped trial is no fault of the dataset, which is right without it, hence a warning.
    refused = [f"{uid}: {detail}" for uid, detail in report.refused.items() if refused_by(proof, detail)]
    return verdict(refused, seen, check_name=proof, asset_key=key, severity=dg.AssetCheckSeverity.WARN)


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
        return verdict([f"{seen}; logs of these trials hold some: {', '.join(report.lost[:_SHOWN])}"], seen)
    silent = [f"{seen}, and no log holds any"] if report.has_none else []
    return verdict(silent, seen, severity=dg.AssetCheckSeverity.WARN)


def _card_check(variant: Variant) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=CARDS[variant],
        blocking=True,
        description="The numbers in README.md, text and YAML, are those of the shards and the ledger.",
    )
    def numbers_are_the_shards(project: Project) -> dg.AssetCheckResult:
        out = project.target
        return verdict(
            check_card(
                out.dataset(variant),
                read_ledger(out.ledger),
                out.shard_facts(variant),
                read_filters(out.ledger),
            ),
            "card, shards and ledger agree",
        )

    return numbers_are_the_shards


CHECKS = [
    every_task_is_built,
    every_trial_is_accounted_for,
    *map(_dataset_checks, VARIANTS),
    there_is_reasoning,
    *map(_card_check, VARIANTS),
]
