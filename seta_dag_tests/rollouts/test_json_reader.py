"""The reader gives the same values and types as `json.loads` with utf-8-sig ("Readable JSON")."""

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
    "empty": b"",
    "white space": b" \n",
    "object": b'{"a": [1, 2.5, null, true, "x"]}',
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}',
    "NaN and infinities": b"[NaN, Infinity, -Infinity]",
    "lone surrogates": b'["\\ud800", "\\udc00x"]',
    "surrogate pair": b'["\\ud83d\\ude00"]',
    "64-bit integers": b"[9223372036854775807, -9223372036854775808]",
    "integers of more than 64 bits": b"[18446744073709551616, -9223372036854775809]",
    "integer of 30 digits": b"123456789012345678901234567890",
    "integer of 5,000 digits": b"1" * 5_000,
    "fraction of 30 digits": b"0.123456789012345678901234567890",
    "numbers that overflow": b"[1e999, -1e999]",
    "number close to the largest float": b"1.7976931348623159e308",
    "zeros": b"[0, -0, 0.0, -0.0, 1e-400]",
    "1,000 zeros": b'["' + b"0" * 1_000 + b'"]',
    "duplicate key": b'{"a": 1, "a": 2}',
    "unescaped control character": b'["a\tb"]',
    "escaped NUL": b'["\\u0000"]',
    "invalid UTF-8": b'["\xff"]',
    "surrogate in UTF-8": b'["\xed\xa0\x80"]',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "truncated in a string": b'{"a": "b',
    "truncated in an object": b'{"a": {"b": 1}',
    "truncated in a character": '{"a": "é'.encode()[:-1],
    "text after the end": b"{} {}",
    "trailing comma": b"[1,]",
    "single quotes": b"{'a': 1}",
    "comment": b"// x\n{}",
    "leading zero": b"01",
    "unquoted word": b"None",
    "500 brackets deep": b"[" * 500 + b"]" * 500,
    "100,000 brackets deep": b"[" * DEEP + b"]" * DEEP,
    "100,000 braces deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "100,000 open brackets": b"[" * DEEP,
}


def expected(data: bytes) -> str:
    """Return the repr of what `json.loads` gives; it distinguishes types and signs, and NaN equals NaN."""
    try:
        return repr(json.loads(data.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return "unreadable"


def parsed(data: bytes) -> str:
    """Return the repr of what the reader gives."""
    try:
        return repr(json_reader.parse(data))
    except json_reader.UnreadableError:
        return "unreadable"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_parsed_like_json(name: str) -> None:
    assert parsed(DOCUMENTS[name]) == expected(DOCUMENTS[name])


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(2**60, 2**70), st.floats(), logged_texts()
)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(logged_texts(), v, max_size=4)
)


@given(value=VALUES, indent=st.none() | st.just(4), bom=st.booleans())
@example(value={"a": math.nan, "b": 2**64}, indent=4, bom=True)
def test_any_value_is_parsed_like_json(value: Any, indent: int | None, bom: bool) -> None:
    data = json.dumps(value, indent=indent).encode("utf-8-sig" if bom else "utf-8")
    assert parsed(data) == expected(data) != "unreadable"


@given(
    data=st.binary(max_size=20)
    | st.text('[]{},:"\\truefalsn0123456789.eE+- \nNI', max_size=20).map(str.encode)
)
def test_any_bytes_are_parsed_like_json(data: bytes) -> None:
    assert parsed(data) == expected(data)


def test_directory_and_named_pipe_are_unreadable(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(json_reader.UnreadableError, match="not a regular file"):
            json_reader.read(path)


@pytest.mark.parametrize("target", ["gone", "link", "link/below"])
def test_dead_link_is_unreadable_but_not_missing(target: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(json_reader.UnreadableError, match="a link that leads nowhere") as caught:
        json_reader.read(tmp_path / "link")
    assert not isinstance(caught.value, json_reader.MissingError)


@pytest.mark.parametrize("path", ["absent", "absent/below", "file/below", "loop/below", "x" * 300])
def test_file_that_does_not_exist_is_missing(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(json_reader.MissingError, match="no such file"):
        json_reader.read(tmp_path / path)


MESSAGES = {
    b"": "empty",
    b"\xff": "not UTF-8",
    b'{"a": 1': "not JSON",
    b"[1,]": "not JSON",
    b"1" * 5_000: "not JSON",
    b"[" * DEEP: "nested too deep",
}


@pytest.mark.parametrize("data", MESSAGES, ids=lambda data: repr(data[:8]))
def test_message_does_not_depend_on_the_python_version(data: bytes) -> None:
    """It becomes part of the ledger (R12)."""
    with pytest.raises(json_reader.UnreadableError, match=f"^{MESSAGES[data]}$"):
        json_reader.parse(data)


CLEAN = [
    ("plain", "plain"),
    ("é🧪", "é🧪"),
    ("\ud800", "\ufffd"),
    ("\udfff", "\ufffd"),
    ("a\ud83d\ud83db", "a\ufffd\ufffdb"),
]


@pytest.mark.parametrize(("text", "cleaned"), CLEAN)
def test_each_lone_surrogate_becomes_one_replacement_character(text: str, cleaned: str) -> None:
    assert json_reader.clean(text) == cleaned
