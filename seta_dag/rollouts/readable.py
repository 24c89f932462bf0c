"""Readable JSON: what Python's `json.loads` makes of the bytes as utf-8-sig (RULES.md, preamble)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import orjson

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS_TO_ZEROS = bytes.maketrans(b"123456789", b"000000000")


class UnreadableError(ValueError):
    """The file can't be read as JSON; the message says why."""


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file. Raises `UnreadableError` for anything else."""
    try:
        if not path.is_file():
            raise UnreadableError("not a regular file")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error


def parse(data: bytes) -> Any:
    """The JSON value of `data`. Raises `UnreadableError`.

    orjson is tried first. It refuses what `json` accepts (NaN, lone surrogates, a BOM), which then
    goes to `json`; and it turns integers of more than 64 bits into floats, so long digits do too.
    """
    if b"0" * 19 not in data.translate(_DIGITS_TO_ZEROS):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(str(error) or type(error).__name__) from error


def read(path: Path) -> Any:
    """The JSON value of the file. Raises `UnreadableError`."""
    return parse(read_bytes(path))


def clean(text: str) -> str:
    """`text` with each lone surrogate as one U+FFFD; Parquet and every tokenizer refuse them."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
