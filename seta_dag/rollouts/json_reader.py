"""Readable JSON: what Python's `json.loads` accepts ("Terms and notation", docs/rules.md)."""

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
"""Error numbers that mean that nothing is at a path. After any other error, something may be there."""
_BLOCK = 1 << 20
_DIGITS_TO_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19  # 2**64 has 20 digits, 2**63 has 19


class UnreadableError(ValueError):
    """The file is not readable JSON; the message says why, without the path."""


class MissingError(UnreadableError):
    """There is no such file."""


def read_bytes(path: Path | str) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        MissingError: nothing is at `path`.
        UnreadableError: it is not a regular file, a dead link, or cannot be read.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer forever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return _read(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in LEADS_NOWHERE:
            raise UnreadableError(error.strerror or "cannot be read") from error
        if os.path.islink(path):  # noqa: PTH114 - `path` may be a str
            raise UnreadableError("a link that leads nowhere") from error
        raise MissingError("no such file") from error


def _read(descriptor: int) -> bytes:
    """Read a regular file to its end, even if it grows or shrinks meanwhile."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("not a regular file")
    # Asking for one byte more than the size makes a short read proof of the end. So a file that does not
    # change takes one call, and calls are what reading many small files costs.
    parts = [os.read(descriptor, status.st_size + 1)]
    if not status.st_size and parts[0]:  # as in /proc: it says something else each time
        raise UnreadableError("not a file on a disk")
    while len(parts[-1]) and len(parts[0]) != status.st_size:
        parts.append(os.read(descriptor, _BLOCK))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def parse(data: bytes) -> Any:
    """Return the JSON value of `data`, exactly as `json.loads` does for the text decoded as utf-8-sig.

    Raises:
        UnreadableError: `data` is empty, not UTF-8, not JSON or nested too deeply.
    """
    # orjson is several times faster, but turns integers of more than 64 bits into floats. With all digits
    # mapped to 0, one search finds every number that could be that long.
    if _LONG_NUMBER not in data.translate(_DIGITS_TO_ZEROS):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass  # it is stricter: json also accepts NaN, lone surrogates and a byte order mark
    try:
        return json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise UnreadableError("nested too deep") from error
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8") from error
    except ValueError as error:
        # Python's own messages differ between its versions, and this one gets into the ledger (rule R12).
        raise UnreadableError("not JSON" if data else "empty") from error


def is_json(text: str) -> bool:
    """Return whether `json.loads` accepts `text`."""
    try:
        orjson.loads(text)  # the faster way; json accepts everything that orjson does
    except orjson.JSONDecodeError:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
    return True


def read(path: Path) -> Any:
    """Return the JSON value of a file.

    Raises:
        MissingError: nothing is at `path`.
        UnreadableError: the file cannot be read or is not readable JSON.
    """
    return parse(read_bytes(path))


def clean(text: str) -> str:
    """Replace each lone surrogate by one U+FFFD, since neither Parquet nor tokenizers accept them."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
