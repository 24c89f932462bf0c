"""Split a long text where that changes neither token ids nor NFC form.

A window ends with a newline that a visible ASCII character follows. Qwen's pre-tokenizer always splits
there: no alternative of its pattern matches a newline and then such a character. A newline composes with
nothing in NFC, and no added token contains one. So the results for the windows can simply be concatenated,
while only one window at a time takes several times its size in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import AnyStr

WINDOW = 2_000_000
"""Default size of a window, in characters of a `str` or in bytes. No published row is longer."""

_SPLIT_STR, _SPLIT_BYTES = re.compile(r"\n(?=[!-~])"), re.compile(rb"\n(?=[!-~])")


def windows(text: AnyStr, size: int = WINDOW) -> Iterator[AnyStr]:
    """Yield consecutive parts of `text`.

    Each but the last has at least `size` characters or bytes. A window is longer where the text has no
    newline to split after. An empty text is one empty window.
    """
    newline: re.Pattern[AnyStr] = _SPLIT_STR if isinstance(text, str) else _SPLIT_BYTES
    start = 0
    while len(text) - start > size:
        found = newline.search(text, start + size)
        if found is None:  # such as one line of several megabytes
            break
        yield text[start : found.end()]
        start = found.end()
    yield text[start:]
