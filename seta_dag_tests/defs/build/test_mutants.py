"""Whatever a trial's files hold, the build ends, every trial is accounted for, and the others' rows stay."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.builds import SAMPLE, Place
from seta_dag_tests.support.mutants import mutants

COUNT = 500


def rows(place: Place, variant: str) -> dict[str, dict[str, object]]:
    """Return the rows that are no mutants, by trial uid."""
    tables = (pq.read_table(path).to_pylist() for path in shard_paths(place.out.dataset(variant)))
    found = {row["trial_uid"]: row for table in tables for row in table}
    return {uid: row for uid, row in found.items() if not uid.startswith("mutant_")}


def test_damaged_trials_never_stop_a_build_and_never_change_other_rows(
    place: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    before = {variant: rows(place, variant) for variant in VARIANTS}
    damage = mutants(SAMPLE, place.rollouts / "mutants", COUNT, seed=14)
    assert len(damage) > 0.9 * COUNT
    assert not place.build(instance).failures
    lines = {line.trial_uid: line for line in place.ledger() if line.run == "mutants"}
    assert len(lines) == COUNT
    assert {line.reason for line in lines.values()} >= {
        None,
        "no_conversation",
        "ctrf_invalid",
        "not_verified",
    }
    assert not [
        (uid, damage.get(uid or ""), line.detail)
        for uid, line in lines.items()
        if line.reason == "task_failed"
    ]
    assert {variant: rows(place, variant) for variant in VARIANTS} == before
