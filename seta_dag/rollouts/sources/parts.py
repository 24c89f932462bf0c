"""Content of a message: a string, or a list of parts in one of several forms (rule R5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seta_dag.rollouts.conversation import Role
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.fields import INNER_METADATA, REASONING_PARTS, TEXT_PARTS, unread_keys
from seta_dag.rollouts.sources.notes import Notes


@dataclass(slots=True)
class Content:
    """The content of one message, taken apart.

    Attributes:
        text: all text parts, joined with nothing between.
        reasoning: parts that hold reasoning, as logged.
        calls: Anthropic's `tool_use` parts, as logged.
        results: text of Anthropic's `tool_result` parts in a user message, one entry each.
    """

    text: str = ""
    reasoning: list[Any] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)


def read_content(logged: Any, role: Role, notes: Notes) -> Content:
    """Read the `content` of a message; what cannot be read is flagged `bad_content`."""
    content = Content()
    if isinstance(logged, list):
        content.text = "".join([_read_part(part, role, content, notes) for part in logged])
    elif isinstance(logged, str):
        content.text = logged
    elif logged is not None:
        notes.add(Flag.BAD_CONTENT, "content is neither text nor a list of parts")
    return content


def _read_part(part: Any, role: Role, content: Content, notes: Notes) -> str:
    """Return the text of a part; a part of another kind goes to its list in `content`."""
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else "no part"
    kind = kind if isinstance(kind, str | None) else "unknown"
    if kind in TEXT_PARTS and isinstance(part.get("text"), str):
        return _only(part, "text", notes)
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return _only(part, "refusal", notes)
    if kind == "tool_result" and role in ("tool", "user"):
        return _read_result(part, role, content, notes)
    if role == "assistant" and kind in REASONING_PARTS:
        content.reasoning.append(part)
    elif role == "assistant" and kind == "tool_use":
        content.calls.append(part)
    else:
        notes.add(Flag.BAD_CONTENT, f"a part of type {kind}")
    return ""


def _only(part: dict[str, Any], key: str, notes: Notes) -> str:
    """Return the words under `key`; words under other keys of the part are flagged."""
    for lost in unread_keys(part, [key], INNER_METADATA):
        notes.add(Flag.UNREAD_FIELD, f"content.{lost}")
    text: str = part[key]
    return text


def _read_result(part: dict[str, Any], role: Role, content: Content, notes: Notes) -> str:
    """Read a `tool_result`: text within a tool message, a result of its own within a user message."""
    for lost in unread_keys(part, ["content"], INNER_METADATA):
        notes.add(Flag.UNREAD_FIELD, f"content.{lost}")
    text = read_content(part.get("content"), "tool", notes).text
    if role == "tool":
        return text
    content.results.append(text)
    return ""
