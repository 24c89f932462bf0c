"""Make any text of a rollout safe to show in a terminal or on a page."""

from __future__ import annotations

import json
from typing import Any

import orjson


def printable(data: bytes | str) -> str:
    """Escape everything that is invisible or affects the text around it.

    That is incomplete UTF-8, control characters, bidirectional marks and the like. Newlines and tabs stay.
    """
    text = data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _escape(char) for char in text)


def json_line(value: Any) -> str:
    """Return a value as JSON on one line; what is not printable is escaped as JSON escapes it."""
    text = orjson.dumps(value).decode()
    return text if text.isprintable() else json.dumps(orjson.loads(text))


def on_one_line(text: str) -> str:
    """Replace newlines and tabs with visible symbols."""
    return text.replace("\n", "↵").replace("\t", "⇥")


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()
