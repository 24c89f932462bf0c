"""A task's file returns the rows that were written, and the digests in the outcomes identify them."""

from __future__ import annotations

import resource
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.dataset.schema import FIELDS, ROW_SCHEMA
from seta_dag.dataset.shards.layout import ShardPlan
from seta_dag.dataset.shards.shard_file import write_shard
from seta_dag.dataset.shards.source import RowSource
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.sources.snapshot import Snapshot
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.log_columns import log_columns, raw_log
from seta_dag.tokens.outcomes import outcome
from seta_dag.tokens.piece_file import PieceReader, written_piece
from seta_dag.tokens.trial_row import TrialRow, VariantCounts, digest
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.made import MadeTrial, mask_of, merged, write_stages

ROWS = [MadeTrial("a", text="é 🚀 \x00"), MadeTrial("a", 1, text="x" * 3000)]
DROPPED = MadeTrial("a", 2, reason="not_exact")


def table_of(out: OutputLayout, trials: list[MadeTrial], variant: Variant) -> pa.Table:
    """Write a task and return its rows as they go into a shard."""
    merge = merged(trials)
    write_stages(out, trials, merge)
    keys = tuple((one.task, one.run, one.trial.uid) for one in trials if one.reason is None)
    path = out.root / "shard.parquet"
    write_shard(RowSource.of(out, merge.fingerprints).job(variant, ShardPlan(keys, ""), path))
    return pq.ParquetFile(path).read()


@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_are_read_as_they_were_written(variant: Variant, tmp_path: Path) -> None:
    table = table_of(OutputLayout(tmp_path), [*ROWS, DROPPED], variant)
    assert table.schema.equals(ROW_SCHEMA) and table.schema.metadata == ROW_SCHEMA.metadata
    table.validate(full=True)
    for trial, line in zip(ROWS, table.to_pylist(), strict=True):
        assert line == expected(trial, variant) and list(line) == list(FIELDS)


def expected(trial: MadeTrial, variant: Variant) -> dict[str, Any]:
    """The row of a trial, column by column."""
    text = trial.text_of(variant)
    mask = mask_of(text).tolist()
    return {
        "task_id": trial.task,
        "trial_uid": trial.trial.uid,
        "reward": 0.5,
        "model": "kimi-k2.5",
        "conv_json_path": f"{trial.trial.path}/CAMEL_LOG_DIR/agent/conv_1.json",
        "provider_token_counts": dict.fromkeys(
            ("cached_tokens", "completion_tokens", "prompt_tokens", "total_tokens")
        ),
        "n_messages": 2,
        "local_token_count": len(text),
        "n_assistant_tokens": sum(mask),
        "raw_conv_json": "{}",
        "chat_template_str": text.decode(),
        "input_ids": list(text),
        "loss_mask": mask,
    }


batches = st.tuples(
    st.text(max_size=20).map(str.encode),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=9),
    st.lists(st.integers(0, 9), max_size=6, unique=True).map(sorted),
)


@given(written=st.lists(st.tuples(batches, batches), max_size=4), log=st.text())
def test_each_row_has_its_own_batches(written: list[tuple[Any, Any]], log: str) -> None:
    with TemporaryDirectory() as folder:
        path, places = Path(folder) / "task", []
        with written_piece(path) as file:
            for number, variants in enumerate(written):
                places.append(file.n_batches)
                file.add(f"{log}{number}".encode())
                for text, ids, ends in variants:
                    file.add(text, np.array(ids, np.int32), _spans(ends))
        for number, (at, variants) in enumerate(zip(places, written, strict=True)):
            for variant, (text, ids, ends) in zip(VARIANTS, variants, strict=True):
                parts = PieceReader(path).row(at, variant)
                assert parts.log.to_pylist() == [f"{log}{number}"]
                assert parts.text.to_pylist() == [text.decode()] and parts.ids.to_pylist() == [ids]
                covered = [any(a <= n < b for a, b in _spans(ends)) for n in range(len(ids))]
                assert parts.mask.to_pylist() == [[int(one) for one in covered]]


def _spans(ends: list[int]) -> tuple[tuple[int, int], ...]:
    return tuple(zip(ends[::2], ends[1::2], strict=False))


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "stages" / "task"
    with written_piece(path) as file:
        file.add(b"{}")
        assert not path.exists()
    with pytest.raises(KeyError), written_piece(tmp_path / "stages" / "other") as file:
        file.add(b"{}")
        raise KeyError
    assert [found.name for found in path.parent.iterdir()] == ["task"]


def test_outcomes_have_the_digest_of_the_stored_row(tmp_path: Path) -> None:
    with written_piece(tmp_path / "task") as file:
        outcomes = [outcome(one.add_to(file)) for one in ROWS]
    for line in outcomes:
        for variant in VARIANTS:
            stored = PieceReader(tmp_path / "task").row(line.at, variant)
            ids = b"".join(token.to_bytes(4, "little") for token in stored.ids[0].as_py())
            text, mask = stored.text[0].as_py().encode(), bytes(stored.mask[0].as_py())
            counts = VariantCounts(len(ids) // 4, sum(mask), False, digest(text, ids, mask))
            assert line.of(variant) == counts


def test_a_dropped_trial_has_a_reason_and_no_counts(tmp_path: Path) -> None:
    with written_piece(tmp_path / "task") as file:
        dropped, row = (outcome(one.add_to(file)) for one in (DROPPED, ROWS[0]))
        unlogged = outcome(TrialRow(ROWS[0].trial, Report(1, 2), reason="no_conversation"))
    assert (dropped.reason, dropped.detail) == ("not_exact", "thinking: not_exact")
    assert dropped.thinking is dropped.nothink is None
    assert row.reason is None and row.of("thinking").proof
    assert (unlogged.task_id, unlogged.reason, unlogged.snapshot) == ("a", "no_conversation", None)


def test_a_file_with_a_failed_write_never_appears(tmp_path: Path) -> None:
    """The disk is full for one row, and has room again for the next one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(OSError, match="File too large"), written_piece(tmp_path / "task") as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                file.add(b"x" * 20_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        with pytest.raises(OSError, match="File too large"):
            file.add(b"y")
    assert not list(tmp_path.iterdir())


def test_copied_rows_are_the_same_in_any_order(tmp_path: Path) -> None:
    with written_piece(tmp_path / "one") as file:
        places = [one.add_to(file).first_batch for one in ROWS]
    source = PieceReader(tmp_path / "one")
    with written_piece(tmp_path / "other") as file:
        file.add(b"something else")
        copies = [file.copy(source, at) for at in reversed(places)]
    for at, copy in zip(reversed(places), copies, strict=True):
        for variant in VARIANTS:
            assert PieceReader(tmp_path / "other").row(copy, variant) == source.row(at, variant)


def test_a_task_without_rows_is_an_empty_file(tmp_path: Path) -> None:
    with written_piece(tmp_path / "none") as file:
        assert file.n_batches == 0
    with pa.ipc.open_file((tmp_path / "none").read_bytes()) as reader:
        assert reader.num_record_batches == 0


DIGESTED = {
    "text": (b"b", b"\1\0\0\0", b"\1"),
    "ids": (b"a", b"\2\0\0\0", b"\1"),
    "mask": (b"a", b"\1\0\0\0", b"\0"),
    "all empty": (b"", b"", b""),
}


@pytest.mark.parametrize("changed", DIGESTED)
def test_digest_covers_text_ids_and_mask(changed: str) -> None:
    ids, mask = np.array([1], np.int32), np.array([1], np.int8)
    assert digest(b"a", ids, mask) == digest(b"a", b"\1\0\0\0", b"\1") == digest(memoryview(b"a"), ids, mask)
    assert digest(*DIGESTED[changed]) != digest(b"a", ids, mask)


CHOSEN = Snapshot(Path("/r/run/trials/a/CAMEL_LOG_DIR/conv_1.json"), b'{"x": 1}', {"model": "kimi"}, False)
USAGE = {"response": {"usage": {"prompt_tokens": 7}}}
CONTENTS: dict[str, tuple[dict[str, Any], Report, int]] = {
    "reward": ({}, Report(2, 2), 2),
    "model": ({"log": {"model": "other"}}, Report(1, 2), 2),
    "conv_json_path": ({"path": CHOSEN.path.with_name("conv_2.json")}, Report(1, 2), 2),
    "provider_token_counts": ({"log": {"model": "kimi", **USAGE}}, Report(1, 2), 2),
    "n_messages": ({}, Report(1, 2), 3),
    "raw_conv_json": ({"data": b'{"x": 2}'}, Report(1, 2), 2),
}


@pytest.mark.parametrize("column", CONTENTS)
def test_content_digest_covers_every_shared_column(column: str) -> None:
    changes, report, n_messages = CONTENTS[column]
    root, trial = Path("/r"), ROWS[0].trial
    first = log_columns(root, trial, Report(1, 2), CHOSEN, raw_log(CHOSEN), 2)
    chosen = replace(CHOSEN, **changes)
    second = log_columns(root, trial, report, chosen, raw_log(chosen), n_messages)
    assert first.content != second.content
    different = {one.name for one in fields(first) if getattr(first, one.name) != getattr(second, one.name)}
    assert different == {"content", column} - {"raw_conv_json"}
