"""Each fault planted into a written shard is found, by the check that is there for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.checks.proofs import read_proofs
from seta_dag.dataset.checks.rows import wrong_lengths, wrong_rows, wrong_schemas
from seta_dag.dataset.ledger.ledger import read_ledger
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.dataset.shards.reader import read_shards
from seta_dag.errors import DatasetError
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import read_outcomes
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
    """Three rows in one shard of each variant."""
    return OutputLayout(shutil.copytree(_built, tmp_path / "out"))


def found(out: OutputLayout, variant: Any = "thinking") -> dict[str, list[str]]:
    """What each check says of a variant; only those that say something."""
    folder, lines = out.dataset(variant), read_ledger(out.ledger)
    shards = read_shards(folder, out.shard_facts(variant))
    said = {
        "schema": wrong_schemas(folder),
        "rows_match_the_ledger": wrong_rows(shards, lines, variant),
        "lengths": wrong_lengths(shards),
        "proved": read_proofs(shards, read_outcomes(out, merged(MADE).fingerprints), variant).unproved,
    }
    return {check: faults for check, faults in said.items() if faults}


def edit(**values: Any) -> Callable[[Rows], object]:
    """A change of the first row's columns."""
    return lambda rows: rows[0].update(values)


def each(column: str, change: Callable[[Any], Any]) -> Callable[[Rows], object]:
    """A change of what the first row has in a column."""
    return lambda rows: rows[0].update({column: change(rows[0][column])})


ROWS, LENGTHS, PROVED = "rows_match_the_ledger", "lengths", "proved"
FAULTS: dict[str, tuple[Callable[[Rows], object], set[str]]] = {
    "a row is missing": (lambda rows: rows.pop(), {ROWS}),
    "a row stands twice": (lambda rows: rows.insert(0, rows[0]), {ROWS}),
    "rows are out of order": (lambda rows: rows.reverse(), {ROWS}),
    "a row of a task that the ledger drops": (edit(task_id="c", trial_uid="c_t0_ab"), {ROWS}),
    "another uid": (edit(trial_uid="a_t0_ac"), {ROWS}),
    "another reward": (edit(reward=1.0), {ROWS}),
    "another count of messages": (edit(n_messages=3), {ROWS}),
    "another count of tokens": (edit(local_token_count=1), {ROWS, LENGTHS}),
    "another count of trainable tokens": (edit(n_assistant_tokens=1), {ROWS, LENGTHS}),
    "another text": (each("chat_template_str", str.upper), {PROVED}),
    "another id": (each("input_ids", lambda ids: [*ids[:-1], 7]), {PROVED}),
    "an id less": (each("input_ids", lambda ids: ids[:-1]), {LENGTHS, PROVED}),
    "an id more": (each("input_ids", lambda ids: [*ids, 7]), {LENGTHS, PROVED}),
    "the mask is shifted": (each("loss_mask", lambda mask: [*mask[1:], 0]), {PROVED}),
    "the mask is another": (each("loss_mask", lambda mask: mask[::-1]), {PROVED}),
    "the mask is shorter": (each("loss_mask", lambda mask: mask[:-1]), {LENGTHS, PROVED}),
    "the mask holds a 2": (each("loss_mask", lambda mask: [2, *mask[1:]]), {LENGTHS, PROVED}),
    "the mask holds a 256": (each("loss_mask", lambda mask: [256, *mask[1:]]), {LENGTHS}),
    "nothing is trainable": (each("loss_mask", lambda mask: [0] * len(mask)), {LENGTHS, PROVED}),
    "nothing at all": (edit(input_ids=[], loss_mask=[]), {LENGTHS, PROVED}),
    "ids and mask of another row": (
        lambda rows: rows[0].update({name: rows[1][name] for name in ("input_ids", "loss_mask")}),
        {LENGTHS, PROVED},
    ),
}


def rewrite(out: OutputLayout, change: Callable[[Rows], object], schema: pa.Schema = ROW_SCHEMA) -> None:
    """The shard with its rows changed."""
    (path,) = shard_paths(out.dataset("thinking"))
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_was_built_has_no_fault(variant: str, out: OutputLayout) -> None:
    assert found(out, variant) == {}
    assert found(out, variant) == {}  # and so says the memo


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(fault: str, out: OutputLayout) -> None:
    found(out)  # what was read before is kept, and must not hide it
    change, checks = FAULTS[fault]
    rewrite(out, change)
    assert set(found(out)) == checks


def _with_an_added_column(schema: pa.Schema) -> pa.Schema:
    return schema.append(pa.field("more", pa.string()))


def _with_wide_ids(schema: pa.Schema) -> pa.Schema:
    at = schema.names.index("input_ids")
    return schema.set(at, pa.field("input_ids", pa.list_(pa.int64())))


def _in_another_order(schema: pa.Schema) -> pa.Schema:
    return pa.schema(list(schema)[::-1], metadata=schema.metadata)


SCHEMAS: dict[str, Callable[[pa.Schema], pa.Schema]] = {
    "a column more": _with_an_added_column,
    "a column less": lambda schema: schema.remove(3),
    "another type": _with_wide_ids,
    "another order": _in_another_order,
    "no metadata": pa.Schema.remove_metadata,
    "other metadata": lambda schema: schema.with_metadata({"huggingface": "{}"}),
}


@pytest.mark.parametrize("change", SCHEMAS)
def test_each_other_schema_is_found(change: str, out: OutputLayout) -> None:
    rewrite(out, lambda rows: None, SCHEMAS[change](ROW_SCHEMA))
    (fault,) = wrong_schemas(out.dataset("thinking"))
    assert fault == "train-00000-of-00001.parquet: its schema is not that of a row"


def test_a_dataset_without_a_shard_is_no_row_schema(tmp_path: Path) -> None:
    assert wrong_schemas(tmp_path) == [f"{tmp_path}: no shard"]


UNREADABLE = {name: damage for name, damage in (SEEN | {"folder": FOLDER}).items()
              if name not in ("a flipped bit", "gone")}  # fmt: skip


@pytest.mark.parametrize("read", [wrong_schemas, read_shards])
@pytest.mark.parametrize("damage", UNREADABLE)
def test_a_shard_that_can_not_be_read_is_one_sentence(
    damage: str, read: Callable[[Path], object], out: OutputLayout
) -> None:
    (path,) = shard_paths(out.dataset("thinking"))
    UNREADABLE[damage](path)
    with pytest.raises(DatasetError, match=r"train-.*: can't be read \(.*\); build the dataset") as raised:
        read(out.dataset("thinking"))
    assert "\n" not in str(raised.value)


def test_no_flipped_bit_passes_as_what_was_built(out: OutputLayout) -> None:
    """Wherever it hits, it is a sentence or a fault, but where the file holds nothing that is read."""
    (path,) = shard_paths(out.dataset("thinking"))
    whole = path.read_bytes()
    rows = pq.read_table(path).to_pylist()
    for at in range(4, len(whole), len(whole) // 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            faults = found(out)
        except DatasetError:
            continue
        assert faults or _compared(pq.read_table(path).to_pylist()) == _compared(rows)


def _compared(rows: Rows) -> list[list[Any]]:
    names = ("task_id", "trial_uid", "reward", "chat_template_str", "input_ids", "loss_mask")
    return [[row[name] for name in names] for row in rows]
