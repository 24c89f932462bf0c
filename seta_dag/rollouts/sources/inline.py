"""Reasoning at the head of the content, between a teacher's own marks (rule R5)."""

from __future__ import annotations

import re
from typing import NamedTuple

from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.notes import Notes

MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
)
"""Opening and closing marks of inline reasoning. A teacher with other marks is one more entry."""

_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_UNOPENED = re.compile(r"(?:^|\n)(</think>)[ \t\r]*(?=\n|$)")
_LIKE_A_MARK = re.compile(r"(?i)\s*(<[a-z:]{0,20}think[^>]{0,100}>|<\|channel\|>)")
_HEAD_BREAKS = re.compile(r"\A(?:\r\n|\n)+")
_TAIL_BREAKS = re.compile(r"(?:\r\n|\n)+\Z")


class Split(NamedTuple):
    """Reasoning and content of a turn, taken apart."""

    reasoning: str
    content: str


def split_inline(separate: str, content: str, notes: Notes) -> Split:
    """Take the reasoning out of the head of `content` and add it to the reasoning `separate` it.

    Blocks are taken out until the content begins with something else. What then still looks like
    thinking is flagged `thinking_in_content`, and the content stays as it is.
    """
    reasoning, rest, found = separate, content, False
    while (block := _block(rest)) is not None:
        inner, rest, closed = block
        found = True
        if not closed:
            notes.add(Flag.UNCLOSED_THINKING)
        reasoning = _added(reasoning, inner, notes)
    if not found and not separate.strip():
        reasoning, rest = _unopened(content, notes)
    if _holds_thinking(rest):
        notes.add(Flag.THINKING_IN_CONTENT)
    return Split(reasoning if reasoning.strip() else "", rest)


def _block(content: str) -> tuple[str, str, bool] | None:
    """Return (block, content after it, whether it was closed) if the content begins with a block."""
    head = content.lstrip().lstrip(_INVISIBLE)
    while head != (shorter := head.lstrip().lstrip(_INVISIBLE)):
        head = shorter
    for opening, closing in MARKS:
        if head.startswith(opening):
            inner, closed, rest = head[len(opening) :].partition(closing)
            return _without_breaks(inner), _HEAD_BREAKS.sub("", rest), bool(closed)
    return None


def _added(reasoning: str, block: str, notes: Notes) -> str:
    """Return the reasoning with a block put after it, unless it is blank or says the same."""
    if not block.strip() or block.strip() == reasoning.strip():
        return reasoning
    if not reasoning.strip():
        return block
    notes.add(Flag.THINKING_TWICE)
    return f"{reasoning}\n{block}"


def _unopened(content: str, notes: Notes) -> Split:
    """Split at a `</think>` on a line of its own: the opening mark was in the server's prompt."""
    end = _UNOPENED.search(content)
    if end is None or "<think>" in content[: end.start()]:
        return Split("", content)
    notes.add(Flag.UNOPENED_THINKING)
    before = content[: end.start(1)]  # with the line break before the mark, which may be of two characters
    return Split(_without_breaks(before), _HEAD_BREAKS.sub("", content[end.end() :]))


def _without_breaks(text: str) -> str:
    return _TAIL_BREAKS.sub("", _HEAD_BREAKS.sub("", text))


def _holds_thinking(content: str) -> bool:
    """Return whether the content still holds a closing mark, opened or not, or begins like a mark."""
    return bool(_LIKE_A_MARK.match(content)) or any(closing in content for _, closing in MARKS)
