"""The ledger file: order, schema, stored filters, and files that are not a ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import reasons
from seta_dag.dataset.ledger.ledger import (
    LEDGER_SCHEMA,
    count_dispositions,
    count_reasons,
    read_filters,
    read_ledger,
    write_ledger,
)
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.errors import DatasetError
from seta_dag_tests.support.damage import FOLDER, SEEN
from seta_dag_tests.support.sample_dataset import ledger_line, sample_ledger


def _line(task: str | None, traj: int | None, run: str, uid: str | None) -> LedgerLine:
    return replace(ledger_line(run, "superseded"), task_id=task, traj_i=traj, trial_uid=uid)


LINES = [
    _line(None, None, "b", "no name"),
    _line("é", 0, "a", "é_t0_ab"),
    _line("a", None, "a", None),
    _line("a", 0, "b", "a_t0_aa"),
    _line("a", 0, "a", "a_t0_bb"),
    _line("a", 10, "a", "a_t10_aa"),
    _line("a", 2, "a", "a_t2_aa"),
]


@settings(max_examples=20)
@given(lines=st.permutations(LINES))
def test_the_file_does_not_depend_on_the_order_of_lines(
    lines: list[LedgerLine], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    write_ledger(folder / "one", LINES, Filters())
    write_ledger(folder / "other", lines, Filters())
    assert (folder / "one").read_bytes() == (folder / "other").read_bytes()


def test_lines_round_trip(tmp_path: Path) -> None:
    write_ledger(tmp_path / "ledger", sample_ledger(), Filters())
    key = str
    assert sorted(read_ledger(tmp_path / "ledger"), key=key) == sorted(sample_ledger(), key=key)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"min_reward": 0.5},
        {"max_tokens": 7},
        {"drop_flag": ["log_skipped", "bad_content"], "max_tokens": 9},
    ],
)
def test_the_filters_are_stored_in_the_ledger(values: dict[str, Any], tmp_path: Path) -> None:
    filters = Filters(**values)
    write_ledger(tmp_path / "ledger", [], filters)
    assert read_filters(tmp_path / "ledger") == filters and read_ledger(tmp_path / "ledger") == []


def _other_columns(path: Path) -> None:
    pq.write_table(pa.table({"trial_uid": ["a"]}), path)


def _other_type(path: Path) -> None:
    at = LEDGER_SCHEMA.names.index("passed")
    schema = LEDGER_SCHEMA.set(at, pa.field("passed", pa.string()))
    pq.write_table(pa.Table.from_pylist([asdict(line) for line in LINES], schema=schema), path)


def _break_magic(path: Path) -> None:
    # A bit flipped at random may hit bytes that are never read; the magic number is always read.
    path.write_bytes(path.read_bytes().replace(b"PAR1", b"PAR2"))


FAULTS: dict[str, Callable[[Path], object]] = {
    "another magic number": _break_magic,
    **{name: SEEN[name] for name in ("cut", "longer", "empty", "another file", "gone")},
    "folder": FOLDER,
    "other columns": _other_columns,
    "other types": _other_type,
}


@pytest.mark.parametrize("read", [read_ledger, read_filters])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_not_a_ledger_is_reported_in_one_sentence(
    fault: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "ledger.parquet"
    write_ledger(path, LINES * 40, Filters())
    FAULTS[fault](path)
    with pytest.raises(DatasetError, match=r"ledger\.parquet: .*; build or download it again") as raised:
        read(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "metadata", [b"{", b"[1]", b'{"min_reward": 7}', b'{"other": 1}', b'{"min_reward": "x"}']
)
def test_unreadable_filters_are_an_error(metadata: bytes, tmp_path: Path) -> None:
    schema = LEDGER_SCHEMA.with_metadata({b"seta_dag.filters": metadata})
    pq.write_table(pa.Table.from_pylist([], schema=schema), tmp_path / "ledger")
    with pytest.raises(DatasetError, match="which filters"):
        read_filters(tmp_path / "ledger")


def test_dispositions_and_reasons_are_counted() -> None:
    assert count_dispositions(sample_ledger()) == {"row": 7, "superseded": 2, "dropped": 3}
    assert count_reasons(sample_ledger()) == {"bad_name": 1, "no_tests": 2}
    assert count_dispositions([]) == {"row": 0, "superseded": 0, "dropped": 0} and count_reasons([]) == {}


@given(given=st.lists(st.sampled_from(list(reasons())), max_size=9))
def test_reason_counts_follow_the_order_of_the_registry(given: list[str]) -> None:
    counted = count_reasons([ledger_line("a", "dropped", reason) for reason in given])
    assert sum(counted.values()) == len(given)
    assert list(counted) == sorted(counted, key=list(reasons()).index)
