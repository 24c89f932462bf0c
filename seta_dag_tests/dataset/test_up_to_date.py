"""A dataset is up to date while its inputs and its files are unchanged."""

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
    """Output directory with both datasets and their cards, marked as finished."""
    out = OutputLayout(tmp_path)
    write_all(out, MADE)
    for variant in VARIANTS:
        (out.dataset(variant) / "README.md").write_text("# Card\n")
        mark_finished(out, variant, INPUTS, MERGE)
    return out


def test_only_the_same_inputs_and_output_directory_are_finished(out: OutputLayout) -> None:
    assert is_finished(out, INPUTS, MERGE)
    assert not is_finished(out, inputs_of(MERGE, Filters(min_reward=0.5)), MERGE)
    assert not is_finished(OutputLayout(out.root / "empty"), INPUTS, MERGE)


def test_both_variants_must_be_finished(out: OutputLayout) -> None:
    mark_finished(out, "thinking", "other inputs", MERGE)
    assert not is_finished(out, INPUTS, MERGE)


FILES: dict[str, Callable[[OutputLayout], Path]] = {
    "ledger": lambda out: out.ledger,
    "shard": lambda out: shard_paths(out.dataset("nothink"))[0],
    "card": lambda out: out.dataset("thinking") / "README.md",
    "memo": lambda out: out.memo("nothink.finished"),
}

# Each differs for a file: other bytes, other size, no file, no regular file.
DAMAGES = {name: SEEN[name] for name in ("a flipped bit", "cut", "gone")} | {"folder": FOLDER}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_makes_the_dataset_unfinished(
    file: str, damage: Callable[[Path], object], out: OutputLayout
) -> None:
    damage(FILES[file](out))
    assert not is_finished(out, INPUTS, MERGE)


def test_a_task_built_after_the_dataset_makes_it_unfinished(out: OutputLayout) -> None:
    path = out.task_file("tokens", "b", MERGE.fingerprints["b"])
    path.rename(out.root / "aside")
    mark_finished(out, "thinking", INPUTS, MERGE)
    (out.root / "aside").rename(path)
    assert not is_finished(out, INPUTS, MERGE)


def test_rewriting_the_merge_makes_the_dataset_unfinished(out: OutputLayout) -> None:
    write_merged(out.resume_chain, MERGE)
    assert not is_finished(out, INPUTS, MERGE)


def test_an_additional_file_makes_the_dataset_unfinished(out: OutputLayout) -> None:
    (out.dataset("thinking") / "data" / "train-00009-of-00009.parquet").write_text("")
    assert not is_finished(out, INPUTS, MERGE)


FAILED = FailedRollout(RUN, RUN, "f", "OSError: x")
OTHER_INPUTS: dict[str, Merged] = {
    "a fingerprint": merged([MadeTrial("a", text="else"), MadeTrial("b")]),
    "the canonical trials": replace(MERGE, canonical=frozenset()),
    "an additional run": replace(MERGE, runs=(RUN, f"{RUN}_resume")),
    "an additional failed rollout": replace(MERGE, failed=(FAILED,)),
    "the detail of a failed rollout": replace(MERGE, failed=(replace(FAILED, detail="OSError: y"),)),
    "an additional trial": merged([*MADE, MadeTrial("b", 1)]),
}


def test_any_change_of_the_inputs_changes_their_hash() -> None:
    hashes = [INPUTS, *(inputs_of(merge, Filters()) for merge in OTHER_INPUTS.values()), inputs_of(MERGE)]
    assert len(set(hashes)) == len(OTHER_INPUTS) + 2


def test_the_format_version_changes_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_to_date, "FORMAT_VERSION", "0")
    assert inputs_of(MERGE, Filters()) != INPUTS


def test_the_order_of_mappings_does_not_change_the_hash() -> None:
    reordered = replace(MERGE, fingerprints=dict(reversed(list(MERGE.fingerprints.items()))))
    assert inputs_of(reordered, Filters()) == INPUTS
