"""Group hub: the card of each dataset, and its publish if a repo is configured."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from seta_dag.dataset.up_to_date import inputs_of, mark_finished
from seta_dag.defs.assets.dataset import DATASETS, ledger
from seta_dag.defs.assets.described import OWNERS, located
from seta_dag.defs.assets.rollouts import Result
from seta_dag.defs.assets.task_stage import table
from seta_dag.defs.hub_settings import HubSettings
from seta_dag.defs.partitions import ONE_RUN
from seta_dag.defs.resources import Project, StudentSettings
from seta_dag.hub.card.write import facts_of, write_card
from seta_dag.hub.publish import Published
from seta_dag.options.stored import store_options
from seta_dag.rollouts.merge import read_merged
from seta_dag.store.layout import FORMAT_VERSION
from seta_dag.tokens.variants import VARIANTS, Variant


def _card_asset(variant: Variant) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"{variant}_card",
        group_name="hub",
        kinds={"python", "markdown"},
        backfill_policy=ONE_RUN,
        owners=OWNERS,
        code_version=FORMAT_VERSION,
        deps=[DATASETS[variant], ledger],
        description=f"README.md of the {variant} dataset: YAML and statistics, read from the shards.",
    )
    def card(project: Project, student: StudentSettings, hub: HubSettings) -> Result:
        out, merged = project.target, read_merged(project.target.resume_chain)
        facts = facts_of(
            out, project.root, merged, student.find(project), project.glob, student.rows(project).redact
        )
        stats = write_card(out, variant, facts, hub.prose(project), hub.pattern)
        store_options(out, project.resolve(card=hub.card or None)[1], ["card"])
        readme = out.dataset(variant) / "README.md"
        metadata: dict[str, Any] = {
            "rows": stats.rows,
            "tokens": stats.tokens,
            "trainable tokens": stats.trainable_tokens,
            "mean reward": round(stats.mean_reward, 3),
            "card": dg.MetadataValue.md(readme.read_text("utf-8").partition("\n---\n")[2]),
            **located(readme),
        }
        return dg.MaterializeResult(metadata=metadata)

    return card


CARDS: dict[Variant, dg.AssetsDefinition] = {variant: _card_asset(variant) for variant in VARIANTS}


def note_finished(project: Project, student: StudentSettings, hub: HubSettings, variant: Variant) -> None:
    """Record the inputs that everything under the output directory was built from."""
    merged = read_merged(project.target.resume_chain)
    found, redact = student.find(project), student.rows(project).redact
    facts = facts_of(project.target, project.root, merged, found, project.glob, redact)
    mark_finished(project.target, variant, inputs_of(merged, facts, hub.prose(project), hub.pattern), merged)


def _hub_asset(variant: Variant) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"{variant}_hub",
        group_name="hub",
        kinds={"python", "huggingface"},
        backfill_policy=ONE_RUN,
        owners=OWNERS,
        output_required=False,
        deps=[CARDS[variant]],
        description=f"The {variant} dataset on the Hub, in one commit, if a repo is configured.",
    )
    def on_the_hub(
        context: dg.AssetExecutionContext, project: Project, student: StudentSettings, hub: HubSettings
    ) -> Iterator[Result]:
        if hub.pattern:
            yield _published(hub.publish(project, variant))
        else:
            context.log.info("no Hub repo is configured (SETA_HUB_REPO), so nothing is published")
        # After the publish, so that a build whose upload failed is not finished.
        note_finished(project, student, hub, variant)

    return on_the_hub


def _published(done: Published) -> Result:
    changes = [{"file": one.path, "change": one.kind, "bytes": one.size} for one in done.changes]
    return dg.MaterializeResult(
        metadata={
            "commit": done.commit or "none: the Hub holds this content already",
            "url": dg.MetadataValue.url(done.url),
            "bytes uploaded": done.bytes_uploaded,
            "changes": table(changes),
        }
    )


HUBS = [_hub_asset(variant) for variant in VARIANTS]
