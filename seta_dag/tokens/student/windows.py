"""A long text in parts, so that what works on it never holds the whole several times over.

A part ends with a newline before a visible ASCII character. There Qwen's pattern splits whatever stands
around: no alternative of it matches a newline and then such a character. Nor does NFC compose a newline
with anything, nor does an added token hold one. So ids and NFC of the parts, joined, are those of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import AnyStr

WINDOW = 2_000_000
"""Characters (of a `str`) or bytes that a text is cut after; no published row is longer."""

_CUT_STR, _CUT_BYTES = re.compile(r"\n(?=[!-~])"), re.compile(rb"\n(?=[!-~])")


def windows(text: AnyStr, size: int = WINDOW) -> Iterator[AnyStr]:
    """The parts of `text`, each at least `size` long but the last; longer where there is no place to cut."""
    cuts: re.Pattern[AnyStr] = _CUT_STR if isinstance(text, str) else _CUT_BYTES
    at = 0
    while len(text) - at > size:
        cut = cuts.search(text, at + size)
        if cut is None:
            break
        yield text[at : cut.end()]
        at = cut.end()
    yield text[at:]
