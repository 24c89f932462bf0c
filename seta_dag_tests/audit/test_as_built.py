"""Whether a dataset is still as it was built, whichever column has changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seta_dag.audit.as_built import verify_as_built
from seta_dag.dataset.schema import FIELDS, ROW_SCHEMA
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.rollouts.merge import write_merged
from seta_dag.store.layout import OutputLayout
from seta_dag_tests.support.made import MadeTrial, merged, write_all

OTHER: dict[str, Any] = {
    "task_id": "x", "trial_uid": "x_t0_ab", "reward": 1.0, "model": "x", "conv_json_path": "x",
    "provider_token_counts": {"total_tokens": 1}, "n_messages": 1, "raw_conv_json": "{ }",
    "chat_template_str": "x", "input_ids": [1], "loss_mask": [1],
}  # fmt: skip
"""Another value for each column except the two counts, which the row's own ids and mask decide."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = OutputLayout(tmp_path_factory.mktemp("built") / "out")
    made = [MadeTrial("a"), MadeTrial("b")]
    write_all(out, made)
    write_merged(out.resume_chain, merged(made))
    return out.dataset("nothink")


def alter(folder: Path, column: str) -> Path:
    """Change one column of the first row in a copy of the output directory; return the dataset in it."""
    (path,) = shard_paths(folder)
    rows = pq.read_table(path).to_pylist()
    rows[0][column] = OTHER[column]
    pq.write_table(pa.Table.from_pylist(rows, schema=ROW_SCHEMA), path)
    return folder


def test_a_dataset_as_it_was_built_has_no_faults(built: Path) -> None:
    assert verify_as_built(built) == []


@pytest.mark.parametrize("column", OTHER)
def test_a_change_of_any_column_is_found(built: Path, tmp_path: Path, column: str) -> None:
    copy = shutil.copytree(built.parent, tmp_path / "out") / "nothink"
    *others, fault = verify_as_built(alter(copy, column))
    assert all("only in the" in other or "not sorted" in other for other in others)
    row, _, what = fault.partition(": ")
    assert row == OTHER["trial_uid"] if column == "trial_uid" else row == "a_t0_ab"
    assert what in (
        f"{column} not as the build wrote it", "not the row that was proved", "not a row of this build",
    )  # fmt: skip


@pytest.mark.parametrize("change", [list.reverse, list.pop, list.clear, lambda rows: rows.append(rows[0])])
def test_missing_repeated_and_reordered_rows_are_found(
    change: Callable[[list[Any]], object], built: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(built.parent, tmp_path / "out") / "nothink"
    (path,) = shard_paths(copy)
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=ROW_SCHEMA), path)
    assert verify_as_built(copy)


def test_a_dataset_without_the_state_of_its_build_has_no_faults(built: Path, tmp_path: Path) -> None:
    assert verify_as_built(alter(Path(shutil.copytree(built, tmp_path / "nothink")), "model")) == []


def test_every_column_is_tried() -> None:
    assert OTHER.keys() | {"local_token_count", "n_assistant_tokens"} == FIELDS.keys()
