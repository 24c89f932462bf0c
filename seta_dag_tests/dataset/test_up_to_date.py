"""A build has nothing to do when the inputs are the same and nobody touched what stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from seta_dag.dataset import up_to_date
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.dataset.up_to_date import inputs_of, is_finished, mark_finished
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout
from seta_dag.rollouts.merge import Merged, write_merged
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.damage import FOLDER, SEEN
from seta_dag_tests.support.made import RUN, MadeTrial, merged, write_all

MADE = [MadeTrial("a"), MadeTrial("b")]
MERGE = merged(MADE)
INPUTS = inputs_of(MERGE, Filters())


@pytest.fixture
def out(tmp_path: Path) -> OutputLayout:
    """Both datasets, with a card each, finished."""
    out = OutputLayout(tmp_path)
    write_all(out, MADE)
    for variant in VARIANTS:
        (out.dataset(variant) / "README.md").write_text("# Card\n")
        mark_finished(out, variant, INPUTS, MERGE)
    return out


def test_what_is_finished_stays_so(out: OutputLayout) -> None:
    assert is_finished(out, INPUTS, MERGE)
    assert not is_finished(out, inputs_of(MERGE, Filters(min_reward=0.5)), MERGE)
    assert not is_finished(OutputLayout(out.root / "nowhere"), INPUTS, MERGE)


def test_both_variants_must_be(out: OutputLayout) -> None:
    mark_finished(out, "thinking", "other inputs", MERGE)
    assert not is_finished(out, INPUTS, MERGE)


VISIBLE: dict[str, Callable[[OutputLayout], Path]] = {
    "ledger": lambda out: out.ledger,
    "shard": lambda out: shard_paths(out.dataset("nothink"))[0],
    "card": lambda out: out.dataset("thinking") / "README.md",
    "memo": lambda out: out.memo("nothink.finished"),
}


@pytest.mark.parametrize("damage", [*SEEN.values(), FOLDER], ids=[*SEEN, "folder"])
@pytest.mark.parametrize("what", VISIBLE)
def test_whoever_touches_a_file_makes_it_unfinished(
    what: str, damage: Callable[[Path], object], out: OutputLayout
) -> None:
    damage(VISIBLE[what](out))
    assert not is_finished(out, INPUTS, MERGE)


def test_a_task_that_was_built_since_makes_it_unfinished(out: OutputLayout) -> None:
    path = out.task_file("tokens", "b", MERGE.fingerprints["b"])
    path.rename(out.root / "aside")
    mark_finished(out, "thinking", INPUTS, MERGE)
    (out.root / "aside").rename(path)
    assert not is_finished(out, INPUTS, MERGE)


def test_another_merge_makes_it_unfinished(out: OutputLayout) -> None:
    write_merged(out.resume_chain, MERGE)
    assert not is_finished(out, INPUTS, MERGE)


def test_a_file_more_makes_it_unfinished(out: OutputLayout) -> None:
    (out.dataset("thinking") / "data" / "train-00009-of-00009.parquet").write_text("")
    assert not is_finished(out, INPUTS, MERGE)


FAILED = FailedRollout(RUN, RUN, "f", "OSError: x")
OTHERS: dict[str, Merged] = {
    "a fingerprint": merged([MadeTrial("a", text="else"), MadeTrial("b")]),
    "which is canonical": replace(MERGE, canonical=frozenset()),
    "a run": replace(MERGE, runs=(RUN, f"{RUN}_resume")),
    "a failed rollout": replace(MERGE, failed=(FAILED,)),
    "its reason": replace(MERGE, failed=(replace(FAILED, detail="OSError: y"),)),
    "a trial": merged([*MADE, MadeTrial("b", 1)]),
}


def test_each_input_counts() -> None:
    hashes = [INPUTS, *(inputs_of(merge, Filters()) for merge in OTHERS.values()), inputs_of(MERGE)]
    assert len(set(hashes)) == len(OTHERS) + 2


def test_the_version_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_to_date, "FORMAT_VERSION", "0")
    assert inputs_of(MERGE, Filters()) != INPUTS


def test_the_order_of_sets_and_maps_does_not_count() -> None:
    turned = replace(MERGE, fingerprints=dict(reversed(list(MERGE.fingerprints.items()))))
    assert inputs_of(turned, Filters()) == INPUTS
