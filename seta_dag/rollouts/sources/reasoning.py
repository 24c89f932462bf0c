"""Reasoning next to the content: fields and parts of every form, read into one string (rule R5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.fields import (
    CHUNKED_FIELDS,
    INNER_METADATA,
    REASONING_FIELDS,
    REASONING_KEYS,
    has_words,
    is_blank,
    unread_keys,
)
from seta_dag.rollouts.sources.notes import Notes


def separate_reasoning(message: Mapping[str, Any], parts: list[Any], notes: Notes) -> str:
    """Return the reasoning of an assistant message, empty if it has none next to its content.

    `parts` are the content parts that hold reasoning. The first field with words counts, then the parts;
    a further one that says something else is flagged `unread_field`.
    """
    chosen = ""
    for name, text in _candidates(message, parts, notes):
        if is_blank(text):
            continue
        if not chosen:
            chosen = text
        elif text.strip() != chosen.strip():
            notes.add(Flag.UNREAD_FIELD, f"{name} says something else than the reasoning that is read")
    return chosen


def _candidates(message: Mapping[str, Any], parts: list[Any], notes: Notes) -> Iterator[tuple[str, str]]:
    for name in REASONING_FIELDS:
        if not is_blank(message.get(name)):
            yield name, _text(name, message[name], "" if name in CHUNKED_FIELDS else "\n\n", notes)
    if parts:
        yield "content", _text("content", parts, "\n\n", notes)


def _text(name: str, value: Any, between: str, notes: Notes) -> str:
    """Return the words of a field that is not blank, its entries joined by `between`."""
    before = len(notes.done())
    words = _words(name, value, notes)
    if not words and len(notes.done()) == before:  # else a flag says already why there are none
        notes.add(Flag.BAD_CONTENT, f"{name} holds no words")
    return between.join(words)


def _words(name: str, value: Any, notes: Notes) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list):
        return [words for entry in value for words in _words(name, entry, notes)]
    return _of_object(name, value, notes) if isinstance(value, dict) else []


def _of_object(name: str, record: dict[str, Any], notes: Notes) -> list[str]:
    kind = str(record.get("type"))
    if kind.endswith("encrypted") or kind == "redacted_thinking":
        notes.add(Flag.REASONING_UNREADABLE, f"{name} has an entry of type {kind}")
        return []
    filled = (key for key in REASONING_KEYS if record.get(key) and isinstance(record[key], str | list))
    key = next(filled, None)
    for lost in unread_keys(record, [key] if key else [], INNER_METADATA):
        notes.add(Flag.UNREAD_FIELD, f"{name}.{lost}")
    if key is None:
        return []
    words = _words(f"{name}.{key}", record[key], notes)
    if not words and has_words(record[key]):
        notes.add(Flag.BAD_CONTENT, f"{name}.{key} holds no words that are read")
    return ["\n\n".join(words)] if words else []
