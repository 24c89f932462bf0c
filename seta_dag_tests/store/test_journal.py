"""A journal returns the last intact line of each name, whatever damage the others have."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.errors import OutputError
from seta_dag.store.journal import Entry, appending, read, rewrite
from seta_dag_tests.support.damage import FOLDER, LINES, SEEN

A, B, C = Entry("-", b'{"a": 1}'), Entry("0123:4:5", b"[]"), Entry("-", b'" \xc3\xa9  \\n"')
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
checksums = st.sampled_from(["-", "0123456789abcdef:17:1700000000000000000"])
records = st.binary(max_size=60).map(lambda data: data.replace(b"\n", b" "))
histories = st.lists(st.tuples(names, st.builds(Entry, checksums, records)), max_size=8)


def write(path: Path, *named: tuple[str, Entry]) -> Path:
    with appending(path) as append:
        for name, entry in named:
            append(name, entry)
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Journal with the entries a, b and c, in this order."""
    return write(tmp_path / "stages" / "x.journal", ("a", A), ("b", B), ("c", C))


@given(history=histories, again=histories)
def test_the_last_entry_of_each_name_wins(
    history: list[tuple[str, Entry]], again: list[tuple[str, Entry]]
) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "journal", *history)
        assert read(path) == dict(history)
        assert read(write(path, *again)) == dict([*history, *again])


@given(history=histories, again=histories)
def test_a_rewritten_journal_can_be_read_and_appended_to(
    history: list[tuple[str, Entry]], again: list[tuple[str, Entry]]
) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "journal", *history)
        rewrite(path, dict(again))
        assert read(path) == dict(again)
        assert read(write(path, *history)) == dict([*again, *history])


def test_rewriting_does_not_depend_on_the_order_of_entries(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    rewrite(one, {"a": A, "b": B})
    rewrite(other, {"b": B, "a": A})
    assert one.read_bytes() == other.read_bytes()


def test_an_entry_is_readable_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    with appending(tmp_path / "journal") as append:
        assert read(tmp_path / "journal") == {}
        append("a", A)
        assert read(tmp_path / "journal") == {"a": A}


# Every damage in the middle; at the first and the last line those that touch the line's ends.
ENDS = [(damage, name) for damage in ("cut", "empty", "in two") for name in "ac"]


@pytest.mark.parametrize(("damage", "name"), [*((damage, "b") for damage in LINES), *ENDS])
def test_a_damaged_line_is_ignored_and_the_others_are_read(damage: str, name: str, journal: Path) -> None:
    before = read(journal)
    LINES[damage](journal, name)
    assert read(journal) == {other: before[other] for other in before if other != name}
    write(journal, (name, before[name]))
    assert read(journal) == before


def test_the_previous_entry_counts_if_the_last_one_is_damaged(journal: Path) -> None:
    write(journal, ("a", C))
    journal.write_bytes(journal.read_bytes()[:-1])
    assert read(journal) == {"a": A, "b": B, "c": C}


@given(data=st.data())
def test_a_flipped_bit_loses_at_most_the_lines_it_touches(data: st.DataObject) -> None:
    """A flipped newline touches two lines: the one it ends and the next one."""
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "journal", ("a", A), ("b", B), ("c", C))
        content, before = bytearray(path.read_bytes()), read(path)
        at = data.draw(st.integers(0, len(content) - 1))
        lost = 2 if content[at] == ord("\n") else 1
        content[at] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        found = read(path)
        assert found.items() <= before.items() and len(before) - len(found) <= lost


@given(data=st.data())
def test_a_journal_truncated_anywhere_keeps_the_lines_before_and_can_be_appended_to(
    data: st.DataObject,
) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "journal", ("a", A), ("b", B))
        content, ends = path.read_bytes(), []
        for name in (b"a", b"b"):
            line = next(line for line in content.split(b"\n") if line[17:18] == name)
            ends.append(content.index(line) + len(line))
        length = data.draw(st.integers(0, len(content)))
        path.write_bytes(content[:length])
        expected = {
            name: entry
            for (name, entry), end in zip((("a", A), ("b", B)), ends, strict=True)
            if end <= length
        }
        assert read(path) == expected
        assert read(write(path, ("c", C))) == {**expected, "c": C}


@pytest.mark.parametrize("damage", SEEN)
def test_a_damaged_journal_never_returns_an_entry_that_was_not_appended(damage: str, journal: Path) -> None:
    before = read(journal)
    SEEN[damage](journal)
    assert read(journal).items() <= before.items()
    assert read(write(journal, *before.items())) == before


def test_a_folder_in_place_of_a_journal_reads_as_empty_and_refuses_writes(journal: Path) -> None:
    FOLDER(journal)
    assert read(journal) == {}
    with pytest.raises(OSError, match="Is a directory"):
        write(journal, ("a", A))
    with pytest.raises(OutputError, match="move away what is in its way"):
        rewrite(journal, {"a": A})


def test_two_interleaved_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with appending(path) as one, appending(path) as other:
        for n in range(50):
            one(f"one{n}", A)
            other(f"other{n}", B)
    assert len(read(path)) == 100


def _append_forever(path: Path, started: Event) -> None:
    with appending(path) as append:
        for n in range(10**9):
            append(f"{n}", Entry("-", b"%d " % n * 5_000))
            if n == 20:
                started.set()


def test_a_killed_writer_leaves_intact_entries_and_an_appendable_journal(tmp_path: Path) -> None:
    path, spawned = tmp_path / "journal", multiprocessing.get_context("spawn")
    started = spawned.Event()
    process = spawned.Process(target=_append_forever, args=(path, started))
    process.start()
    assert started.wait(60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    found = read(path)
    assert found == {f"{n}": Entry("-", b"%d " % n * 5_000) for n in range(len(found))} and len(found) > 20
    assert read(write(path, ("a", A))) == {**found, "a": A}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_error_names_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "full.journal"
    path.symlink_to("/dev/full")
    with appending(path) as append, pytest.raises(OutputError, match=r"full\.journal: cannot be written"):
        append("a", A)
