"""The row counts that anyone's card states, in YAML of any form and in its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from seta_dag.audit.claims import verify_counts
from seta_dag_tests.support.sample_dataset import sample_rows, write_dataset

ROWS = len(sample_rows())


def counts(folder: Path, yaml: str, text: str = "") -> list[str]:
    dataset = write_dataset(folder / "thinking", sample_rows())
    (dataset / "README.md").write_text(f"---\n{yaml}\n---\n{text}\n", "utf-8")
    return verify_counts(dataset)


SPLIT = "dataset_info:\n  splits:\n  - name: train\n    num_examples: "


@pytest.mark.parametrize(
    "yaml",
    [
        f"{SPLIT}{ROWS}",
        "dataset_info:\n  splits:\n  - name: train",
        "dataset_info:\n  splits: [train, test]",
        "dataset_info:\n  splits: train",
        f"{SPLIT}many",
        "license: mit",
    ],
)
def test_yaml_that_states_no_other_count_is_fine(yaml: str, tmp_path: Path) -> None:
    assert counts(tmp_path, yaml, f"**{ROWS}** rows") == []


def test_other_counts_are_named(tmp_path: Path) -> None:
    found = counts(tmp_path, f"{SPLIT}{ROWS + 1}", "1,488 examples, and `take 100 rows`")
    assert found == [
        f"the card's YAML says {ROWS + 1} rows, the shards hold {ROWS}",
        f"the card's text says 1,488 rows, the shards hold {ROWS}",
    ]
