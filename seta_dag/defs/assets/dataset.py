"""Group dataset: the ledger, and the shards of both variants."""

import dagster as dg
from pydantic import Field

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.ledger.ledger import count_dispositions, count_reasons, read_ledger, write_ledger
from seta_dag.dataset.shards.writer import write_shards
from seta_dag.defs.assets.rollouts import Result, ctrf_reports, resume_chain
from seta_dag.defs.assets.task_stage import table
from seta_dag.defs.assets.tokens import tokens
from seta_dag.defs.build.progress import ticker
from seta_dag.defs.partitions import ONE_RUN
from seta_dag.defs.resources import Project
from seta_dag.executor.stage import prune
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.layout import FORMAT_VERSION, existing
from seta_dag.tokens.variants import VARIANTS, Variant

_LINES_SHOWN = 30


class LedgerConfig(dg.Config):
    """Filters; without them every proved row is kept."""

    min_reward: float | None = Field(default=None, description="Drop rows with a reward below this.")
    max_tokens: int | None = Field(
        None, description="Drop rows with more tokens than this in either variant."
    )


@dg.asset(
    group_name="dataset",
    kinds={"python", "parquet"},
    backfill_policy=ONE_RUN,
    code_version=FORMAT_VERSION,
    deps=[resume_chain, ctrf_reports, tokens],
)
def ledger(project: Project, config: LedgerConfig) -> Result:
    """What became of every trial: a row, superseded, or dropped with a reason. Filters apply here."""
    merged = read_merged(project.target.resume_chain)
    filters = Filters(config.min_reward, config.max_tokens)
    lines = account(project.target, merged, filters)
    write_ledger(project.target.ledger, lines, filters)
    prune(project.target, merged.fingerprints)
    reasons = [{"reason": reason, "trials": n} for reason, n in count_reasons(lines).items()]
    shown = ("trial_uid", "task_id", "run", "reason", "detail")
    dropped = [{key: line[key] for key in shown} for line in lines if line["reason"]]
    metadata = {
        "trials": len(lines),
        **count_dispositions(lines),
        "dropped by reason": table(reasons),
        "dropped trials": table(dropped[:_LINES_SHOWN]),
        "path": dg.MetadataValue.path(project.target.ledger),
    }
    return dg.MaterializeResult(metadata=metadata)


def _dataset_asset(variant: Variant) -> dg.AssetsDefinition:
    @dg.asset(
        group_name="dataset",
        kinds={"python", "parquet"},
        backfill_policy=ONE_RUN,
        code_version=FORMAT_VERSION,
        name=f"{variant}_dataset",
        deps=[ledger, tokens],
        description=f"The Parquet shards of the {variant} variant; only those that changed are written.",
    )
    def dataset(context: dg.AssetExecutionContext, project: Project) -> Result:
        out = project.target
        lines = read_ledger(existing(out.ledger, "ledger"))
        fingerprints = read_merged(out.resume_chain).fingerprints
        shards = write_shards(out, variant, lines, fingerprints, ticker(context, "shards"))
        rows = [line for line in lines if line["disposition"] == "row"]
        files = [{"shard": path.name, "bytes": path.stat().st_size} for path in shards.paths]
        metadata = {
            "dagster/row_count": shards.rows,
            "tokens": sum(line[f"{variant}_tokens"] for line in rows),
            "trainable tokens": sum(line[f"{variant}_trainable_tokens"] for line in rows),
            "shards": table(files),
            "shards written": shards.written,
            "path": dg.MetadataValue.path(out.dataset(variant)),
        }
        return dg.MaterializeResult(metadata=metadata)

    return dataset


DATASETS: dict[Variant, dg.AssetsDefinition] = {variant: _dataset_asset(variant) for variant in VARIANTS}
