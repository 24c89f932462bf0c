"""The JSONL export contains exactly the rows of the shards."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.schema import FIELDS
from seta_dag.errors import DatasetError
from seta_dag.loaders.jsonl import export_jsonl
from seta_dag_tests.support.hub.dataset import row, sample, write_dataset


def test_each_line_is_one_row_with_its_columns_in_order(tmp_path: Path) -> None:
    special = 'Grüße 語 \u2028 "quoted" \\ \x00 \U0001f600\n'
    rows = [
        row(1, chat_template_str=special, model=None, reward=2 / 3),
        row(2, raw_conv_json=json.dumps({"a": special})),
    ]
    folder = write_dataset(tmp_path / "d", [rows, [row(3)]])
    assert export_jsonl(folder, tmp_path / "out/rows.jsonl") == 3
    lines = (tmp_path / "out/rows.jsonl").read_bytes().decode().removesuffix("\n").split("\n")
    parsed = [json.loads(line) for line in lines]
    assert parsed == [
        one for shard in sorted(folder.glob("data/*")) for one in pq.read_table(shard).to_pylist()
    ]
    assert [list(one) for one in parsed] == [list(FIELDS)] * 3
    assert "Grüße 語" in lines[0]


def test_a_failed_export_keeps_the_existing_file(tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    target = tmp_path / "rows.jsonl"
    target.write_text("before")
    (folder / "data/train-00001-of-00002.parquet").write_bytes(b"not parquet")
    with pytest.raises(DatasetError, match="cannot be read"):
        export_jsonl(folder, target)
    assert target.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"d", "rows.jsonl"}


def test_exporting_a_folder_without_shards_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="build the dataset first"):
        export_jsonl(tmp_path, tmp_path / "rows.jsonl")
