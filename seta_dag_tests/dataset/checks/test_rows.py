"""Each fault planted in a written shard is found by the check responsible for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.checks.proofs import read_proofs
from seta_dag.dataset.checks.rows import altered_rows, wrong_lengths, wrong_rows, wrong_schemas
from seta_dag.dataset.ledger.ledger import read_ledger
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.dataset.shards.known import read_shards
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.errors import DatasetError
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.damage import FOLDER, SEEN
from seta_dag_tests.support.made import MadeTrial, merged, write_all

MADE = [MadeTrial("a"), MadeTrial("a", 1, text="Bye."), MadeTrial("b"), MadeTrial("c", reason="no_tests")]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "out"
    write_all(OutputLayout(root), MADE)
    return root


@pytest.fixture
def out(_built: Path, tmp_path: Path) -> OutputLayout:
    """Output directory with three rows in one shard per variant."""
    return OutputLayout(shutil.copytree(_built, tmp_path / "out"))


def failed_checks(out: OutputLayout, variant: Any = "thinking") -> dict[str, list[str]]:
    """Return the faults each check reports for a variant; checks that pass are left out."""
    folder, lines = out.dataset(variant), read_ledger(out.ledger)
    shards = read_shards(folder, out.shard_facts(variant))
    outcomes = OUTCOMES.built(out, merged(MADE).fingerprints)
    faults_of = {
        "schema": wrong_schemas(folder),
        "rows_match_the_ledger": wrong_rows(shards, lines, variant),
        "lengths": wrong_lengths(shards),
        "as_built": altered_rows(shards, outcomes, variant),
        "proved": read_proofs(shards, outcomes, variant).unproved,
    }
    return {check: faults for check, faults in faults_of.items() if faults}


def edit(**values: Any) -> Callable[[Rows], object]:
    """Return a change that sets columns of the first row."""
    return lambda rows: rows[0].update(values)


def edit_with(column: str, change: Callable[[Any], Any]) -> Callable[[Rows], object]:
    """Return a change that applies `change` to one column of the first row."""
    return lambda rows: rows[0].update({column: change(rows[0][column])})


def _with_text_of_another_row(rows: Rows) -> None:
    names = ("chat_template_str", "input_ids", "loss_mask", "local_token_count", "n_assistant_tokens")
    rows[0].update({name: rows[1][name] for name in names})


ROWS, LENGTHS, BUILT, PROVED = "rows_match_the_ledger", "lengths", "as_built", "proved"
FAULTS: dict[str, tuple[Callable[[Rows], object], set[str]]] = {
    "a missing row": (lambda rows: rows.pop(), {ROWS}),
    "a duplicated row": (lambda rows: rows.insert(0, rows[0]), {ROWS}),
    "rows out of order": (lambda rows: rows.reverse(), {ROWS}),
    "a row that the ledger drops": (edit(task_id="c", trial_uid="c_t0_ab"), {ROWS, BUILT}),
    "another uid": (edit(trial_uid="a_t0_ac"), {ROWS, BUILT}),
    "another reward": (edit(reward=1.0), {ROWS, BUILT}),
    "another count of messages": (edit(n_messages=3), {ROWS, BUILT}),
    "a null count of messages": (edit(n_messages=None), {ROWS, BUILT}),
    "another model": (edit(model="gpt"), {BUILT}),
    "no model": (edit(model=None), {BUILT}),
    "another path": (edit(conv_json_path="../x.json"), {BUILT}),
    "no path": (edit(conv_json_path=None), {BUILT}),
    "other counts of the provider": (
        edit_with("provider_token_counts", lambda all: all | {"total_tokens": 1}),
        {BUILT},
    ),
    "no counts of the provider": (edit(provider_token_counts=None), {BUILT}),
    "another log": (edit_with("raw_conv_json", lambda log: f"{log} "), {BUILT}),
    "an empty log": (edit(raw_conv_json=""), {BUILT}),
    "no log": (edit(raw_conv_json=None), {BUILT}),
    "the text, ids and mask of another row": (_with_text_of_another_row, {ROWS, BUILT}),
    "another count of tokens": (edit(local_token_count=1), {ROWS, LENGTHS}),
    "another count of trainable tokens": (edit(n_assistant_tokens=1), {ROWS, LENGTHS}),
    "another text": (edit_with("chat_template_str", str.upper), {PROVED}),
    "another id": (edit_with("input_ids", lambda ids: [*ids[:-1], 7]), {PROVED}),
    "one id fewer": (edit_with("input_ids", lambda ids: ids[:-1]), {LENGTHS, PROVED}),
    "one id more": (edit_with("input_ids", lambda ids: [*ids, 7]), {LENGTHS, PROVED}),
    "a shifted mask": (edit_with("loss_mask", lambda mask: [*mask[1:], 0]), {PROVED}),
    "a reversed mask": (edit_with("loss_mask", lambda mask: mask[::-1]), {PROVED}),
    "a shorter mask": (edit_with("loss_mask", lambda mask: mask[:-1]), {LENGTHS, PROVED}),
    "a 2 in the mask": (edit_with("loss_mask", lambda mask: [2, *mask[1:]]), {LENGTHS, PROVED}),
    "a 256 in the mask": (edit_with("loss_mask", lambda mask: [256, *mask[1:]]), {LENGTHS}),
    "no trainable token": (edit_with("loss_mask", lambda mask: [0] * len(mask)), {LENGTHS, PROVED}),
    "no ids at all": (edit(input_ids=[], loss_mask=[]), {LENGTHS, PROVED}),
    "ids and mask of another row": (
        lambda rows: rows[0].update({name: rows[1][name] for name in ("input_ids", "loss_mask")}),
        {LENGTHS, PROVED},
    ),
}


def rewrite(out: OutputLayout, change: Callable[[Rows], object], schema: pa.Schema = ROW_SCHEMA) -> None:
    """Rewrite the thinking shard with its rows changed, under `schema`."""
    (path,) = shard_paths(out.dataset("thinking"))
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_built_dataset_passes_all_checks(variant: str, out: OutputLayout) -> None:
    assert failed_checks(out, variant) == {}
    assert failed_checks(out, variant) == {}  # also from the memo of the first call


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails_exactly_its_checks(fault: str, out: OutputLayout) -> None:
    failed_checks(out)  # fills the memo, which must not hide the fault
    change, checks = FAULTS[fault]
    rewrite(out, change)
    assert set(failed_checks(out)) == checks


def _with_an_added_column(schema: pa.Schema) -> pa.Schema:
    return schema.append(pa.field("more", pa.string()))


def _with_wide_ids(schema: pa.Schema) -> pa.Schema:
    at = schema.names.index("input_ids")
    return schema.set(at, pa.field("input_ids", pa.list_(pa.int64())))


def _in_another_order(schema: pa.Schema) -> pa.Schema:
    return pa.schema(list(schema)[::-1], metadata=schema.metadata)


SCHEMAS: dict[str, Callable[[pa.Schema], pa.Schema]] = {
    "an additional column": _with_an_added_column,
    "a missing column": lambda schema: schema.remove(3),
    "another type": _with_wide_ids,
    "another order": _in_another_order,
    "no metadata": pa.Schema.remove_metadata,
    "other metadata": lambda schema: schema.with_metadata({"huggingface": "{}"}),
}


@pytest.mark.parametrize("change", SCHEMAS)
def test_each_wrong_schema_is_reported(change: str, out: OutputLayout) -> None:
    rewrite(out, lambda rows: None, SCHEMAS[change](ROW_SCHEMA))
    (fault,) = wrong_schemas(out.dataset("thinking"))
    assert fault == "train-00000-of-00001.parquet: its schema is not that of a row"


def test_a_dataset_without_shards_is_reported(tmp_path: Path) -> None:
    assert wrong_schemas(tmp_path) == [f"{tmp_path}: no shard"]


# A flipped bit may hit bytes that are never read; see the last test.
UNREADABLE = {name: SEEN[name] for name in ("cut", "empty", "another file")} | {"folder": FOLDER}


@pytest.mark.parametrize("read", [wrong_schemas, read_shards])
@pytest.mark.parametrize("damage", UNREADABLE)
def test_an_unreadable_shard_is_reported_in_one_sentence(
    damage: str, read: Callable[[Path], object], out: OutputLayout
) -> None:
    (path,) = shard_paths(out.dataset("thinking"))
    UNREADABLE[damage](path)
    with pytest.raises(
        DatasetError, match=r"train-.*: cannot be read \(.*\); build or download it"
    ) as raised:
        read(out.dataset("thinking"))
    assert "\n" not in str(raised.value)


def test_a_flipped_bit_never_changes_the_rows_unnoticed(out: OutputLayout) -> None:
    """Every flip is an error, a fault, or leaves the compared columns as they were."""
    (path,) = shard_paths(out.dataset("thinking"))
    content = path.read_bytes()
    rows = pq.read_table(path).to_pylist()
    for at in range(4, len(content), len(content) // 60):
        path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        try:
            faults = failed_checks(out)
        except DatasetError:
            continue
        assert faults or _essential_columns(pq.read_table(path).to_pylist()) == _essential_columns(rows)


def _essential_columns(rows: Rows) -> list[list[Any]]:
    names = ("task_id", "trial_uid", "reward", "chat_template_str", "input_ids", "loss_mask")
    return [[row[name] for name in names] for row in rows]
