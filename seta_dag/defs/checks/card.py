"""Whether the numbers of a card are those of its dataset."""

import dagster as dg

from seta_dag.dataset.ledger.ledger import read_filters, read_ledger
from seta_dag.defs.assets.hub import CARDS
from seta_dag.defs.checks.verdict import verdict
from seta_dag.defs.resources import Project
from seta_dag.hub.card.check import check_card
from seta_dag.tokens.variants import VARIANTS, Variant


def _card_check(variant: Variant) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=CARDS[variant],
        blocking=True,
        description="The numbers in README.md, text and YAML, are those of the shards and the ledger.",
    )
    def numbers_are_the_shards(project: Project) -> dg.AssetCheckResult:
        out = project.target
        lines, filters = read_ledger(out.ledger), read_filters(out.ledger)
        faults = check_card(out.dataset(variant), lines, out.shard_facts(variant), filters)
        return verdict(faults, "card, shards and ledger", "all numbers agree")

    return numbers_are_the_shards


CARD_CHECKS = [_card_check(variant) for variant in VARIANTS]
