"""Tables of dataclasses come back as they were written, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.store import table as module
from seta_dag.store.table import Table
from seta_dag_tests.support.damage import FOLDER, SEEN

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Row(Generic[Thing]):
    text: str
    maybe: str | None
    count: int | None
    share: float
    flag: bool
    inner: Inner | None
    things: tuple[Thing, ...]
    words: tuple[str, ...]


TABLE: Table[Row[Inner]] = Table(Row[Inner])
OTHER: Table[Inner] = Table(Inner)

texts = st.text(st.characters(exclude_categories=("Cs",)))
numbers = st.integers(-(2**63), 2**63 - 1)
inners = st.builds(Inner, texts, st.lists(numbers, max_size=3).map(tuple))
rows = st.builds(
    Row,
    text=texts,
    maybe=st.none() | texts,
    count=st.none() | numbers,
    share=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
    inner=st.none() | inners,
    things=st.lists(inners, max_size=3).map(tuple),
    words=st.lists(texts, max_size=3).map(tuple),
)
ROWS = (
    Row("é", None, 1, 0.5, True, Inner("x", (1, 2)), (Inner("y"),), ("a", "b")),
    Row("", "", None, -1.0, False, None, (), ()),
)


@given(written=st.lists(rows, max_size=5).map(tuple), note=texts)
def test_rows_come_back_as_they_were_written(written: tuple[Row[Inner], ...], note: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        TABLE.write(path, written, note)
        content = TABLE.content(path)
    assert content is not None and (content.rows, content.note) == (written, note)


def test_an_unchanged_file_gives_the_same_objects(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    TABLE.write(path, ROWS)
    first = TABLE.read(path)
    assert first == ROWS and TABLE.read(path) is first
    TABLE.write(path, ROWS[:1])
    assert TABLE.read(path) == ROWS[:1]


# A flipped bit may be one that nobody reads; it has a test of its own.
DAMAGES = {name: damage for name, damage in SEEN.items() if name != "a flipped bit"} | {"folder": FOLDER}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_table_counts_as_missing(damage: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    TABLE.write(path, ROWS)
    damage(path)
    assert TABLE.read(path) is None


def test_a_change_of_any_byte_is_noticed_or_makes_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    TABLE.write(path, ROWS, "a note")
    intact = path.read_bytes()
    for at in range(len(intact)):
        path.write_bytes(intact[:at] + bytes([intact[at] ^ 0x55]) + intact[at + 1 :])
        content = TABLE.load(path)
        assert content is None or (content.rows, content.note) == (ROWS, "a note"), at


def test_a_table_of_another_form_or_version_counts_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.parquet"
    TABLE.write(path, ROWS)
    assert OTHER.read(path) is None
    monkeypatch.setattr(module, "FORMAT_VERSION", "0")
    assert TABLE.load(path) is None
    assert TABLE.read(tmp_path / "nothing.parquet") is None
