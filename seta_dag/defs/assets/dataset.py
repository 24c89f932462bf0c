"""Group dataset: the ledger, and the shards of both variants."""

from dataclasses import replace
from typing import Any

import dagster as dg
from pydantic import Field, create_model

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import FILTERS
from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.ledger.ledger import count_dispositions, count_reasons, read_ledger, write_ledger
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.shards.writer import write_shards
from seta_dag.defs.assets.described import OWNERS, changes, ledger_columns, located, preview, row_columns
from seta_dag.defs.assets.rollouts import Result, ctrf_reports, resume_chain
from seta_dag.defs.assets.task_stage import table
from seta_dag.defs.assets.tokens import tokens
from seta_dag.defs.build.progress import ticker
from seta_dag.defs.partitions import ONE_RUN
from seta_dag.defs.resources import Project, WorkerSettings
from seta_dag.errors import DatasetError
from seta_dag.options.stored import store_options
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.layout import FORMAT_VERSION, OutputLayout, existing
from seta_dag.tokens.built import prune
from seta_dag.tokens.variants import VARIANTS, Variant

_LINES_SHOWN = 30


def _field(kind: Any, multiple: bool, text: str) -> Any:
    return (list[kind] if multiple else kind) | None, Field(default=None, description=text)


# The config class has one field per filter, so a registered filter shows up in the launchpad by itself.
_filters: dict[str, Any] = {
    one.name: _field(one.option.kind, one.option.multiple, one.option.help) for one in FILTERS
}


class LedgerConfig(create_model("_FilterConfig", __base__=dg.Config, **_filters)):  # type: ignore[misc]
    """The filters. One that is not given is that of SETA_*, else of the last build, else not set."""

    only_these: bool = Field(
        default=False, description="Use only the filters given here: one that is not given is not set."
    )

    def filters(self, project: Project) -> Filters:
        """Return the filters of this run. Raises `ConfigError` for a value that makes no sense."""
        given = {one.name: getattr(self, one.name) for one in FILTERS}
        return Filters(**given) if self.only_these else project.resolve(**given)[1].filters


@dg.asset(
    group_name="dataset",
    kinds={"python", "parquet"},
    backfill_policy=ONE_RUN,
    code_version=FORMAT_VERSION,
    deps=[resume_chain, ctrf_reports, tokens],
    owners=OWNERS,
    metadata={"dagster/column_schema": ledger_columns()},
)
def ledger(project: Project, config: LedgerConfig) -> Result:
    """What became of every trial: a row, superseded, or dropped with a reason. Filters apply here."""
    out, options = project.resolve()
    options = replace(options, filters=config.filters(project))
    merged, before = read_merged(out.resume_chain), _last_ledger(out)
    lines = account(out, merged, options.filters)
    write_ledger(out.ledger, lines, options.filters)
    store_options(out, options, ["filters"])  # each asset stores the options that it used
    prune(out, merged.fingerprints)
    reasons = [{"reason": reason, "trials": n} for reason, n in count_reasons(lines).items()]
    shown = ("reason", "detail", "trial_uid", "task_id", "run")
    dropped = [{key: getattr(line, key) for key in shown} for line in lines if line.reason]
    metadata = {
        "trials": len(lines),
        **count_dispositions(lines),
        **changes(before, lines),
        "dropped by reason": table(reasons),
        "dropped trials": table(dropped[:_LINES_SHOWN]),
        "dagster/row_count": len(lines),
        **located(out.ledger),
    }
    return dg.MaterializeResult(metadata=metadata)


def _last_ledger(out: OutputLayout) -> list[LedgerLine] | None:
    try:
        return read_ledger(out.ledger) if out.ledger.is_file() else None
    except DatasetError:  # of another version, or damaged: it is about to be replaced
        return None


def _dataset_asset(variant: Variant) -> dg.AssetsDefinition:
    @dg.asset(
        group_name="dataset",
        kinds={"python", "parquet"},
        backfill_policy=ONE_RUN,
        code_version=FORMAT_VERSION,
        name=f"{variant}_dataset",
        deps=[ledger, tokens],
        owners=OWNERS,
        metadata={"dagster/column_schema": row_columns()},
        description=f"The Parquet shards of the {variant} variant; only those that changed are written.",
    )
    def dataset(context: dg.AssetExecutionContext, project: Project, workers: WorkerSettings) -> Result:
        out = project.target
        lines = read_ledger(existing(out.ledger, "ledger"))
        fingerprints = read_merged(out.resume_chain).fingerprints
        shards = write_shards(out, variant, lines, fingerprints, ticker(context, "shards"), workers.get())
        rows = [line for line in lines if line.disposition == "row"]
        files = [{"shard": path.name, "bytes": path.stat().st_size} for path in shards.paths]
        metadata = {
            "dagster/row_count": shards.rows,
            "tokens": sum(line.tokens(variant) for line in rows),
            "trainable tokens": sum(line.trainable_tokens(variant) for line in rows),
            "shards": table(files),
            "shards written": shards.written,
            "first rows": table(preview(shards.paths)),
            **located(out.dataset(variant)),
        }
        return dg.MaterializeResult(metadata=metadata)

    return dataset


DATASETS: dict[Variant, dg.AssetsDefinition] = {variant: _dataset_asset(variant) for variant in VARIANTS}
