"""Building the golden archives gives, for every trial, the result of an independent program."""

from __future__ import annotations

import filecmp
import hashlib
import json
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seta_dag.cli.publish import PLANTED
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.schema import FEATURES
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.builds import REPOSITORY, SAMPLE, Place

Trial = tuple[str | None, str | None]
LARGE_TRIAL = "out_big_200k_t0_85623f"
"""The only trial of the archive that is not in the repository's sample, because it is large."""
NOT_LISTED = {"ctrf_mismatch", "log_skipped", "literal_markup"}
"""Flags that the golden files do not list; `literal_markup` is in the record of each variant."""


def golden(name: str) -> dict[Trial, dict[str, Any]]:
    """Read the expected result of every trial of an archive, keyed by (trial uid, task id)."""
    text = (REPOSITORY / f"seta_dag_tests/golden/{name}_expected.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    return {(line["trial_uid"], line["task_id"]): line for line in lines}


def digest(data: bytes) -> str:
    """Return the first 16 hex digits of the SHA-256, as the golden file stores it."""
    return hashlib.sha256(data).hexdigest()[:16]


def variant_record(row: dict[str, Any], literal: bool) -> dict[str, Any]:
    """Summarize one variant of a row in the golden file's format."""
    compact = [json.dumps(row[name], separators=(",", ":")) for name in ("input_ids", "loss_mask")]
    return {
        "text": digest(row["chat_template_str"].encode()),
        "ids": digest(compact[0].encode()),
        "mask": digest(compact[1].encode()),
        "tokens": row["local_token_count"],
        "trainable": row["n_assistant_tokens"],
        "literal_markup": literal,
    }


def built_records(place: Place) -> dict[Trial, dict[str, Any]]:
    """Summarize a build in the golden file's format, reading only the ledger and the shards."""
    shards = {variant: place.out.dataset(variant) / "data" for variant in VARIANTS}
    rows = {v: {row["trial_uid"]: row for row in pq.read_table(shards[v]).to_pylist()} for v in VARIANTS}
    names = ("trial_uid", "task_id", "traj_i", "reward", "passed", "total", "disposition", "reason")
    trials = {}
    for line in place.ledger():
        record = {name: getattr(line, name) for name in names}
        if line.disposition == "row":
            record |= common_record(line, rows["thinking"][line.trial_uid])
            literal = "literal_markup" in line.flags
            record |= {v: variant_record(rows[v][line.trial_uid], literal) for v in VARIANTS}
        trials[line.trial_uid, line.task_id] = record
    assert all(len(rows[v]) == sum(1 for record in trials.values() if v in record) for v in VARIANTS)
    return trials


def common_record(line: LedgerLine, row: dict[str, Any]) -> dict[str, Any]:
    """Summarize what both variants of a row have in common, in the golden file's format."""
    assert Path(row["conv_json_path"]).name == line.snapshot
    assert (row["n_messages"], row["reward"]) == (line.n_messages, line.reward)
    return {
        "snapshot": line.snapshot,
        "n_messages": row["n_messages"],
        "model": row["model"],
        "prompt_tokens": row["provider_token_counts"]["prompt_tokens"],
        "flags": sorted({*line.flags} - NOT_LISTED),
    }


def test_every_trial_of_the_archive_matches_the_golden_file(archive: Place) -> None:
    assert built_records(archive) == golden("rollouts")


def test_every_trial_of_the_dialects_matches_the_golden_file(dialects: Place) -> None:
    """Trials as different clients log them, with what can go wrong in each."""
    assert built_records(dialects) == golden("dialects")


def test_sample_is_the_archive_without_its_large_trial(archive: Place) -> None:
    """Empty folders are ignored, since git does not store them."""

    def compare(here: filecmp.dircmp[str]) -> None:
        assert [*here.diff_files, *here.funny_files] == []
        assert {*here.right_only} <= {PLANTED}
        for name in {*here.left_only} - {LARGE_TRIAL, "EXPECTED.json"}:
            assert not [path for path in Path(here.left, name).rglob("*") if path.is_file()]
        for below in here.subdirs.values():
            compare(below)

    compare(filecmp.dircmp(archive.rollouts, SAMPLE))


def test_every_trial_of_the_sample_matches_the_golden_file(
    tmp_path: Path, on_disk: dg.DagsterInstance
) -> None:
    sample = Place(tmp_path)
    sample.rollouts.symlink_to(SAMPLE)
    assert not sample.build(on_disk).failures
    expected = golden("rollouts")
    del expected[LARGE_TRIAL, "out_big_200k"]
    assert built_records(sample) == expected


@pytest.mark.parametrize("variant", VARIANTS)
def test_load_dataset_returns_exactly_the_declared_features(
    variant: str, archive: Place, tmp_path: Path
) -> None:
    import datasets

    folder = str(archive.out.dataset(variant))
    loaded = datasets.load_dataset(folder, split="train", cache_dir=str(tmp_path))
    assert loaded.features.to_dict() == FEATURES
    assert list(loaded.features) == list(FEATURES)
    assert loaded.num_rows == 95


@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_are_sorted_and_contain_their_complete_log(variant: str, archive: Place) -> None:
    rows = pq.read_table(archive.out.dataset(variant) / "data").to_pylist()
    order = [(row["task_id"], row["trial_uid"], row["conv_json_path"]) for row in rows]
    assert order == sorted(order)
    for row in rows:
        log = (archive.rollouts / row["conv_json_path"]).read_text("utf-8-sig")
        assert row["raw_conv_json"] == log


def test_parquet_columns_match_the_reference_dataset(archive: Place) -> None:
    (shard, *_) = sorted((archive.out.dataset("thinking") / "data").iterdir())
    counts = ("cached_tokens", "completion_tokens", "prompt_tokens", "total_tokens")
    assert list(pq.read_schema(shard).remove_metadata()) == [
        pa.field("task_id", pa.string()),
        pa.field("trial_uid", pa.string()),
        pa.field("reward", pa.float64()),
        pa.field("model", pa.string()),
        pa.field("conv_json_path", pa.string()),
        pa.field("provider_token_counts", pa.struct([(name, pa.int64()) for name in counts])),
        pa.field("local_token_count", pa.int64()),
        pa.field("n_assistant_tokens", pa.int64()),
        pa.field("n_messages", pa.int64()),
        pa.field("raw_conv_json", pa.string()),
        pa.field("chat_template_str", pa.string()),
        pa.field("input_ids", pa.list_(pa.int32())),
        pa.field("loss_mask", pa.list_(pa.int64())),
    ]
