"""Every logged word is rendered, metadata by the rules, or flagged: a property of the reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from seta_dag.rollouts.conversation import Conversation
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.dialects import conversation

ADMITS_LOSS = {
    Flag.UNREAD_FIELD,
    Flag.BAD_CONTENT,
    Flag.BAD_TOOL_CALL,
    Flag.REASONING_UNREADABLE,
    Flag.UNKNOWN_ROLE,
}
"""Flags that say: words of this conversation are not rendered."""

METADATA = {
    "role",
    "name",
    "tool_call_id",
    "id",
    "type",
    "index",
    "object",
    "created",
    "model",
    "status",
    "annotations",
    "cache_control",
}
INNER = METADATA | {"format", "signature", "tool_use_id", "is_error"}
"""Keys that rule R5 names as metadata, of a message and of what is within it; written out once more here."""

KEYS = [
    *sorted(INNER),
    "content",
    "text",
    "refusal",
    "reasoning_content",
    "reasoning",
    "thinking",
    "reasoning_details",
    "thinking_blocks",
    "anthropic_thinking_blocks",
    "summary",
    "tool_calls",
    "function_call",
    "function",
    "arguments",
    "input",
    "audio",
    "transcript",
    "data",
    "image_url",
    "citations",
    "other",
]
KINDS = [
    "text",
    "input_text",
    "output_text",
    "refusal",
    "thinking",
    "reasoning",
    "redacted_thinking",
    "reasoning.text",
    "reasoning.encrypted",
    "tool_use",
    "tool_result",
    "function",
    "image_url",
]
ROLES = ["system", "developer", "user", "assistant", "tool", "function", "critic"]


def marked(number: int) -> str:
    """A word that occurs once in a log, and is not a part of another."""
    return f"word{number}w"


scalars = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", " \n", "WORD", "WORD", "WORD"])
)
kinds = st.fixed_dictionaries({}, optional={"type": st.sampled_from(KINDS) | scalars})


def objects(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    bodies = st.dictionaries(st.sampled_from(KEYS), children, max_size=4)
    return st.builds(lambda body, kind: {**body, **kind}, bodies, kinds)


values = st.recursive(
    scalars, lambda children: st.lists(children, max_size=3) | objects(children), max_leaves=12
)
messages = st.builds(lambda body, role: {**body, "role": role}, objects(values), st.sampled_from(ROLES))


def numbered(value: Any, counter: Iterator[int]) -> Any:
    """The value with every WORD replaced by one that occurs nowhere else."""
    if value == "WORD":
        return marked(next(counter))
    if isinstance(value, list):
        return [numbered(one, counter) for one in value]
    if isinstance(value, dict):
        return {key: numbered(one, counter) for key, one in value.items()}
    return value


def words(value: Any, metadata: set[str]) -> Iterator[str]:
    """Every word of a JSON value that is not under a metadata key."""
    if isinstance(value, str):
        yield from [value] if value.startswith("word") else []
    elif isinstance(value, list):
        for one in value:
            yield from words(one, metadata)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "audio" and metadata is METADATA and isinstance(one, dict):
                yield from words(one.get("transcript"), INNER)
            elif key not in metadata and not (key == "audio" and isinstance(one, dict)):
                yield from words(one, INNER)


def rendered(talk: Conversation) -> str:
    said = [
        (turn.content, turn.reasoning, *(c.name + c.arguments for c in turn.calls)) for turn in talk.turns
    ]
    return "\0".join(part for turn in said for part in turn)


def lost(messages: list[dict[str, Any]]) -> tuple[list[str], Conversation]:
    """The words of a log that are neither rendered nor metadata, and its conversation."""
    talk = conversation({"request": {"messages": messages}})
    text = rendered(talk)
    return [
        word for message in messages for word in words(message, METADATA) if clean(word) not in text
    ], talk


@settings(max_examples=300)
@given(logged=st.lists(messages, min_size=1, max_size=4))
def test_every_word_is_rendered_or_metadata_or_flagged(logged: list[dict[str, Any]]) -> None:
    missing, talk = lost(numbered(logged, iter(range(10_000))))
    assert not missing or talk.flags & ADMITS_LOSS, missing


def test_forgotten_field_is_found() -> None:
    message = {"role": "assistant", "content": "word1w", "reasoning_v2": "word2w"}
    missing, talk = lost([message])
    assert missing == ["word2w"] and talk.flags == {Flag.UNREAD_FIELD}
