"""Any text of a rollout as text that can be shown anywhere."""

from __future__ import annotations


def printable(data: bytes | str) -> str:
    """Text in which nothing is invisible or moves what stands around it: pieces of characters, control
    characters and the like are written as escapes; newlines and tabs stay."""
    text = data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _escape(char) for char in text)


def on_one_line(text: str) -> str:
    """Text with its newlines and tabs as symbols."""
    return text.replace("\n", "↵").replace("\t", "⇥")


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()
