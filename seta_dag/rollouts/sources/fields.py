"""Which keys of a logged message are read, and which are metadata: the tables of rule R5.

The next client's field is one more entry here. Words under any other key are flagged `unread_field`, so
nothing that somebody wrote is lost without a trace.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from seta_dag.rollouts.conversation import Role

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",  # OpenAI's newer name
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",  # OpenAI's legacy function calls
}
REASONING_FIELDS = (
    "reasoning_content",  # Kimi, DeepSeek, SGLang
    "reasoning",  # vLLM, OpenRouter
    "thinking",
    "reasoning_details",  # OpenRouter, MiniMax
    "thinking_blocks",  # LiteLLM
    "anthropic_thinking_blocks",
)
"""Fields of an assistant message that hold reasoning, in order of preference."""

CHUNKED_FIELDS = frozenset({"reasoning_details"})
"""Reasoning fields whose entries are pieces of one text, joined without a break."""

TEXT_PARTS = frozenset({None, "text", "input_text", "output_text"})
"""Types of content parts whose `text` is content; None is a part without a type."""

REASONING_PARTS = frozenset({"thinking", "reasoning"})
REASONING_KEYS = ("thinking", "text", "summary", "content", "reasoning")
"""Keys of a reasoning object; the first that is a non-empty string or list holds its words."""

METADATA = frozenset({
    "role", "name", "tool_call_id", "id", "type", "index", "object", "created", "model", "status",
    "annotations", "cache_control",
})  # fmt: skip
"""Keys of a message that describe it. `audio` is one too, except for its `transcript`."""

INNER_METADATA = METADATA | {"format", "signature", "tool_use_id", "is_error"}
"""Keys of parts, calls and reasoning objects that describe them."""


def is_blank(value: Any) -> bool:
    """Return whether a value says nothing: null, white space, an empty list or object."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def has_words(value: Any) -> bool:
    """Return whether a string that is not blank occurs anywhere within a JSON value."""
    waiting = [value]  # a list and not recursion: logs can be nested as deep as JSON allows
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and one.strip():
            return True
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def unread_keys(record: Mapping[str, Any], read: Collection[str], metadata: Collection[str]) -> list[str]:
    """Return the keys of an object that hold words but are neither read nor metadata."""
    return [key for key, value in record.items() if key not in read and _is_lost(key, value, metadata)]


def _is_lost(key: str, value: Any, metadata: Collection[str]) -> bool:
    if key == "audio" and isinstance(value, dict):
        return has_words(value.get("transcript"))
    return key not in metadata and has_words(value)
