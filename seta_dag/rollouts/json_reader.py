"""Readable JSON: what Python's `json.loads` makes of the bytes as utf-8-sig (RULES.md, preamble)."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import orjson

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
"""Errors of a path at whose end nothing is; with any other error something may be there."""
_BLOCK = 1 << 20
_DIGITS_TO_ZEROS = bytes.maketrans(b"123456789", b"000000000")


class UnreadableError(ValueError):
    """The file can't be read as JSON; the message says why."""


class MissingError(UnreadableError):
    """There is no such file."""


def read_bytes(path: Path | str) -> bytes:
    """The bytes of a regular file. Raises `MissingError` for none, `UnreadableError` for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # so as not to wait at a pipe
        try:
            return _read(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in LEADS_NOWHERE:
            raise UnreadableError(error.strerror or "can't be read") from error
        if os.path.islink(path):  # noqa: PTH114
            raise UnreadableError("a link that leads nowhere") from error
        raise MissingError("no such file") from error


def _read(descriptor: int) -> bytes:
    """In one call where the file does not change meanwhile: of a small file the calls are what costs."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("not a regular file")
    parts = [os.read(descriptor, found.st_size + 1)]
    while len(parts[-1]) and len(parts[0]) != found.st_size:
        parts.append(os.read(descriptor, _BLOCK))
    return parts[0] if len(parts) == 1 else b"".join(parts)


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
    except RecursionError as error:
        raise UnreadableError("nested too deep") from error
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8") from error
    except ValueError as error:  # its own words differ from one Python to the next
        raise UnreadableError("not JSON" if data else "empty") from error


def is_json(text: str) -> bool:
    """Whether `json.loads` takes the text. What orjson takes it takes too."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
    return True


def read(path: Path) -> Any:
    """The JSON value of the file. Raises `UnreadableError`."""
    return parse(read_bytes(path))


def clean(text: str) -> str:
    """`text` with each lone surrogate as one U+FFFD; Parquet and every tokenizer refuse them."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
