"""Paths under the output directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from seta_dag.errors import NotBuiltError
from seta_dag.store.atomic import write_bytes
from seta_dag.store.layout import OutputLayout, existing


def test_forget_removes_all_memos_and_nothing_else(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    for path in (out.memo("thinking.shards"), out.shard_facts("thinking"), out.resume_chain):
        write_bytes(path, b"")
    out.forget()
    out.forget()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [out.resume_chain]


def test_a_missing_file_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError) as raised:
        existing(tmp_path / "ledger.parquet", "ledger")
    assert str(raised.value) == (
        f"{tmp_path}/ledger.parquet: not built yet; run seta-dag build (or materialize ledger)"
    )
    assert existing(tmp_path, "ledger") == tmp_path
