"""Paths under the output directory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.errors import NotBuiltError
from seta_dag.store.atomic import write_memo
from seta_dag.store.layout import OutputLayout, existing, task_file_name

names = st.text(min_size=1, max_size=200) | st.sampled_from(
    ["a", "A", "a/b", "a b", "..", ".", "-", "é", "é"]
)


@given(one=names, other=names)
def test_task_file_names_are_unique_even_if_case_is_ignored(one: str, other: str) -> None:
    first, second = (task_file_name("ctrf", task, "0" * 16).lower() for task in (one, other))
    assert (first == second) == (one == other)


@given(task=names, stage=st.sampled_from(["trials", "ctrf", "tokens", "failed"]))
def test_a_task_file_name_is_a_short_ascii_name_without_spaces(task: str, stage: str) -> None:
    name = task_file_name(stage, task, "0" * 16)
    assert name.isascii() and name.isprintable() and len(name) < 130
    assert Path(name).name == name and " " not in name


def test_stale_files_are_removed_and_current_ones_kept(tmp_path: Path) -> None:
    out, fingerprints = OutputLayout(tmp_path), {"a": "1" * 16, "b": "2" * 16}
    for stage in ("failed", "tokens"):
        for task, fingerprint in [*fingerprints.items(), ("a", "3" * 16), ("gone", "1" * 16)]:
            path = out.task_file(stage, task, fingerprint)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
    out.remove_stale("tokens", fingerprints)
    assert out.built("tokens") == {task_file_name("tokens", *item) for item in fingerprints.items()}
    assert len(out.built("failed")) == 4


def test_a_stage_that_never_ran_has_no_files(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    out.remove_stale("tokens", {})
    assert out.built("tokens") == set()
    out.stages.mkdir()
    out.stage("tokens").write_text("a file in place of the folder")
    assert out.built("tokens") == set()


def test_forget_removes_all_memos_and_nothing_else(tmp_path: Path) -> None:
    out = OutputLayout(tmp_path)
    for path in (out.memo("thinking.shards"), out.shard_facts("thinking"), out.resume_chain):
        write_memo(path, [])
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
