"""What a text says once JSON escapes and base64 are undone, with the way back to its own bytes."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_ESCAPE = re.compile(rb'\\+(?:u[0-9a-fA-F]{4}|["/bfnrt])|\xe2\x84\xaa')
_KELVIN = "\u212a".encode()
"""The one character outside of ASCII that tokenizers and people read as a letter, K."""
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}(?:={1,2}|(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2})")
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e]{12,}")
_DEPTH = 2
"""How often base64 is undone: somebody may have encoded what was encoded already."""


@dataclass(frozen=True, slots=True)
class View:
    """A reading of a text.

    Attributes:
        data: what it says.
        starts: offsets in `data` from which on another stretch of the text is read, ascending, 0 first.
        sources: for each of them, the half-open range [start, end) of the text's bytes. A stretch of the same
            length as its range is a copy of it; any other was decoded and stands for all of it.
    """

    data: bytes
    starts: tuple[int, ...]
    sources: tuple[tuple[int, int], ...]

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Return the range of the text's bytes that the bytes [start, end) of `data` were read from."""
        return self._at(start)[0], self._at(end - 1)[1]

    def _at(self, offset: int) -> tuple[int, int]:
        index = bisect_right(self.starts, offset) - 1
        first, last = self.sources[index]
        next_start = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.data)
        if next_start - self.starts[index] != last - first:
            return first, last
        place = first + offset - self.starts[index]
        return place, place + 1


def views(text: bytes) -> Iterator[View]:
    """Yield the text as it is, without its JSON escapes, and what base64 in it says."""
    plain = View(text, (0,), ((0, len(text)),))
    yield plain
    if b"\\" in text or _KELVIN in text:
        plain = _unescaped(text)
        yield plain
    for _ in range(_DEPTH):
        decoded = _decoded(plain)
        if decoded is None:
            return
        yield decoded
        plain = decoded


def _unescaped(text: bytes) -> View:
    """Undo JSON escapes of any depth: a quote in a string in a string has three backslashes."""
    return _joined(text, _copies(text))


def _copies(text: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (bytes, start, end) of each stretch between escapes, and of each escape."""
    at = 0
    for match in _ESCAPE.finditer(text):
        yield text[at : match.start()], at, match.start()
        yield b"K" if match[0] == _KELVIN else _character(match[0].lstrip(b"\\")), *match.span()
        at = match.end()
    yield text[at:], at, len(text)


def _character(letters: bytes) -> bytes:
    if letters.startswith(b"u") and len(letters) > 1:
        return chr(int(letters[1:], 16)).encode("utf-8", "replace")
    return _LETTERS.get(letters, letters)


def _decoded(view: View) -> View | None:
    """Return what the base64 in a view says, a line per piece of text; None if there is none."""
    found = [
        (part + b"\n", *view.source(match.start(), match.end()))
        for match in _BASE64.finditer(view.data)
        for part in dict.fromkeys(_parts(match[0]))
    ]
    return _joined(b"", iter(found)) if found else None


def _parts(letters: bytes) -> Iterator[bytes]:
    """Yield the printable stretches that the letters say from any of the first four on.

    A path may end right before base64, and Windows encodes text as UTF-16, with a zero for every other byte.
    """
    for skipped in range(4):
        decoded = _bytes_of(letters[skipped:])
        yield from _PRINTABLE.findall(decoded)
        if decoded.count(0) > len(decoded) // 3:
            yield from _PRINTABLE.findall(decoded.replace(b"\0", b""))


def _bytes_of(letters: bytes) -> bytes:
    letters = re.sub(rb"[\r\n=]", b"", letters).translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(letters[: len(letters) // 4 * 4] + _rest(letters))
    except binascii.Error:
        return b""


def _rest(letters: bytes) -> bytes:
    """Return the last letters with their padding; a single one left over says nothing."""
    rest = letters[len(letters) // 4 * 4 :]
    return rest.ljust(4, b"=") if len(rest) > 1 else b""


def _joined(text: bytes, stretches: Iterator[tuple[bytes, int, int]]) -> View:
    parts, starts, sources, length = [], [], [], 0
    for part, start, end in stretches:
        if part:
            parts.append(part)
            starts.append(length)
            sources.append((start, end))
            length += len(part)
    return View(b"".join(parts), tuple(starts), tuple(sources))
