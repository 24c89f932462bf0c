"""Readable JSON is what `json.loads` makes of the bytes as utf-8-sig, value for value and type for type."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seta_dag.rollouts import json_reader
from seta_dag_tests.support.conversations import logged_texts

DEEP = 100_000
DOCUMENTS: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n",
    "an object": b'{"a": [1, 2.5, null, true, "x"]}',
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}',
    "not a number": b"[NaN, Infinity, -Infinity]",
    "a lone surrogate": b'["\\ud800", "\\udc00x"]',
    "a surrogate pair": b'["\\ud83d\\ude00"]',
    "an integer of 64 bits": b"[9223372036854775807, -9223372036854775808]",
    "an integer of more": b"[18446744073709551616, -9223372036854775809]",
    "an integer of 30 digits": b"123456789012345678901234567890",
    "an integer of 5,000 digits": b"1" * 5_000,
    "a fraction of 30 digits": b"0.123456789012345678901234567890",
    "an infinite number": b"[1e999, -1e999]",
    "a number next to infinity": b"1.7976931348623159e308",
    "zeros": b"[0, -0, 0.0, -0.0, 1e-400]",
    "1,000 zeros": b'["' + b"0" * 1_000 + b'"]',
    "the same key twice": b'{"a": 1, "a": 2}',
    "a raw control character": b'["a\tb"]',
    "an escaped NUL": b'["\\u0000"]',
    "wrong UTF-8": b'["\xff"]',
    "a surrogate in UTF-8": b'["\xed\xa0\x80"]',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "cut in a string": b'{"a": "b',
    "cut in an object": b'{"a": {"b": 1}',
    "cut in a character": '{"a": "é'.encode()[:-1],
    "more after the end": b"{} {}",
    "a comma too many": b"[1,]",
    "single quotes": b"{'a': 1}",
    "a comment": b"// x\n{}",
    "a leading zero": b"01",
    "a bare word": b"None",
    "500 brackets deep": b"[" * 500 + b"]" * 500,
    "100,000 brackets deep": b"[" * DEEP + b"]" * DEEP,
    "100,000 braces deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "100,000 brackets, never closed": b"[" * DEEP,
}


def plain(data: bytes) -> Any:
    """What `json.loads` makes of it; its `repr`, in which types, signs and NaN are told apart."""
    try:
        return repr(json.loads(data.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return "unreadable"


def parsed(data: bytes) -> Any:
    """The same of the reader."""
    try:
        return repr(json_reader.parse(data))
    except json_reader.UnreadableError:
        return "unreadable"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_read_as_json_reads_it(name: str) -> None:
    assert parsed(DOCUMENTS[name]) == plain(DOCUMENTS[name])


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(2**60, 2**70), st.floats(), logged_texts()
)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(logged_texts(), v, max_size=4)
)


@given(value=VALUES, indent=st.none() | st.just(4), mark=st.booleans())
@example(value={"a": math.nan, "b": 2**64}, indent=4, mark=True)
def test_any_value_is_read_as_json_reads_it(value: Any, indent: int | None, mark: bool) -> None:
    data = json.dumps(value, indent=indent).encode("utf-8-sig" if mark else "utf-8")
    assert parsed(data) == plain(data) != "unreadable"


@given(
    data=st.binary(max_size=20)
    | st.text('[]{},:"\\truefalsn0123456789.eE+- \nNI', max_size=20).map(str.encode)
)
def test_any_bytes_are_read_as_json_reads_them(data: bytes) -> None:
    assert parsed(data) == plain(data)


def test_what_is_no_file_is_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(json_reader.UnreadableError, match="not a regular file"):
            json_reader.read(path)


@pytest.mark.parametrize("target", ["gone", "link", "link/below"])
def test_a_link_that_leads_nowhere_is_unreadable_but_not_missing(target: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(json_reader.UnreadableError, match="a link that leads nowhere") as caught:
        json_reader.read(tmp_path / "link")
    assert not isinstance(caught.value, json_reader.MissingError)


@pytest.mark.parametrize("path", ["absent", "absent/below", "file/below", "loop/below", "x" * 300])
def test_a_file_that_is_not_there_is_missing(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(json_reader.MissingError, match="no such file"):
        json_reader.read(tmp_path / path)


WORDS = {
    b"": "empty",
    b"\xff": "not UTF-8",
    b'{"a": 1': "not JSON",
    b"[1,]": "not JSON",
    b"1" * 5_000: "not JSON",
    b"[" * DEEP: "nested too deep",
}


@pytest.mark.parametrize("data", WORDS, ids=WORDS.values())
def test_why_it_is_unreadable_is_said_in_words_of_our_own(data: bytes) -> None:
    """The ledger holds them, and Python's own differ between its versions."""
    with pytest.raises(json_reader.UnreadableError, match=f"^{WORDS[data]}$"):
        json_reader.parse(data)


CLEAN = [
    ("plain", "plain"),
    ("é🧪", "é🧪"),
    ("\ud800", "\ufffd"),
    ("\udfff", "\ufffd"),
    ("a\ud83d\ud83db", "a\ufffd\ufffdb"),
]


@pytest.mark.parametrize(("text", "expected"), CLEAN)
def test_each_lone_surrogate_becomes_one_replacement_character(text: str, expected: str) -> None:
    assert json_reader.clean(text) == expected
