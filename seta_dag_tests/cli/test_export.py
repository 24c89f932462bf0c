"""`seta-dag export` and `seta-dag verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag_tests.support.builds import Place
from seta_dag_tests.support.command_line import only_shard, run


def test_export_and_verify_take_what_was_built(place: Place, tmp_path: Path) -> None:
    exported = run("export", tmp_path / "rows.jsonl", "--out", place.out.root)
    assert exported.exit_code == 0 and "2 rows of thinking" in exported.stdout
    verified = run("verify", place.out.dataset("thinking"))
    assert verified.exit_code == 0 and verified.stdout.endswith("2 equal, 0 explained, 0 unexplained\n")


def test_verify_says_which_token_differs_and_what_each_difference_means(place: Place, tmp_path: Path) -> None:
    shard = only_shard(place.out)
    rows = pq.read_table(shard).to_pylist()
    rows[0]["input_ids"][5] += 1
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=ROW_SCHEMA), file)
    text = run("verify", file)
    assert text.exit_code == 1
    assert "input_ids differs at token 5: the row has" in text.stdout and "our rules give" in text.stdout
    lines = [json.loads(line) for line in run("verify", file, "--json").stdout.splitlines()]
    assert [line["verdict"] for line in lines] == ["unexplained", "equal"]
    assert lines[0]["trial_uid"] == rows[0]["trial_uid"] and "token 5" in lines[0]["detail"]
