"""Every logged word is rendered, metadata by the rules, or flagged: a property of the reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seta_dag.rollouts.conversation import Conversation
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.dialects import conversation, logged_messages

ADMITS_LOSS = {
    Flag.UNREAD_FIELD,
    Flag.BAD_CONTENT,
    Flag.BAD_TOOL_CALL,
    Flag.REASONING_UNREADABLE,
    Flag.UNKNOWN_ROLE,
}
"""Flags that say: words of this conversation are not rendered."""

METADATA = {
    *("role", "name", "tool_call_id", "id", "type", "index", "object", "created", "model", "status"),
    *("annotations", "cache_control"),
}
INNER = METADATA | {"format", "signature", "tool_use_id", "is_error"}
"""Keys that rule R5 names as metadata, of a message and of what is within it; written out once more here."""

KEYS = [
    *sorted(INNER),
    *("content", "text", "refusal", "reasoning_content", "reasoning", "thinking", "reasoning_details"),
    *("thinking_blocks", "anthropic_thinking_blocks", "summary", "tool_calls", "function_call", "function"),
    *("arguments", "input", "audio", "transcript", "data", "image_url", "citations", "other"),
]
KINDS = [
    *("text", "input_text", "output_text", "refusal", "thinking", "reasoning", "redacted_thinking"),
    *("reasoning.text", "reasoning.encrypted", "tool_use", "tool_result", "function", "image_url"),
]
ROLES = ["system", "developer", "user", "assistant", "tool", "function", "critic"]


def marked(number: int) -> str:
    """Return a word that occurs once in a log and is not part of another."""
    return f"word{number}w"


scalars = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", " \n", "WORD", "WORD", "WORD"])
)
kinds = st.fixed_dictionaries({}, optional={"type": st.sampled_from(KINDS) | scalars})


def objects(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the keys of messages, parts, calls and reasoning."""
    bodies = st.dictionaries(st.sampled_from(KEYS), children, max_size=4)
    return st.builds(lambda body, kind: {**body, **kind}, bodies, kinds)


values = st.recursive(
    scalars, lambda children: st.lists(children, max_size=3) | objects(children), max_leaves=12
)
roles = st.sampled_from(ROLES)
messages = st.builds(lambda body, role: {**body, "role": role}, objects(values), roles)
with_one_field = st.builds(
    lambda role, key, value: {"content": "WORD", key: value, "role": role},
    roles,
    st.sampled_from(KEYS),
    st.sampled_from(["WORD", ["WORD"], {"other": "WORD"}, [{"text": "WORD"}]]) | values,
)
with_one_part = st.builds(
    lambda role, part: {"role": role, "content": ["WORD", part]}, roles, objects(scalars) | objects(values)
)
answers = st.none() | st.one_of(messages, with_one_field).map(lambda one: {"choices": [{"message": one}]})


def _says(**fields: Any) -> dict[str, Any]:
    return {"role": "assistant", **fields}


SOUND: list[dict[str, Any]] = [
    {"role": "user", "content": "WORD"},
    {"role": "user", "content": [{"type": "text", "text": "WORD"}, "WORD"]},
    {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "WORD"}]}]},
    {"role": "tool", "content": [{"type": "tool_result", "content": "WORD"}]},
    _says(content="WORD", tool_calls=[{"function": {"name": "WORD", "arguments": "WORD"}}]),
    _says(content=None, tool_calls=[{"name": "WORD", "arguments": {"a": "WORD"}}]),
    _says(content="", function_call={"name": "WORD", "arguments": "WORD"}),
    _says(content=[{"type": "tool_use", "id": "1", "name": "WORD", "input": {"a": "WORD"}}, "WORD"]),
    _says(content=[{"type": "thinking", "thinking": "WORD"}, {"type": "text", "text": "WORD"}]),
    _says(content=[{"type": "refusal", "refusal": "WORD"}]),
    _says(content=None, refusal="WORD"),
    _says(content="WORD", reasoning_content="WORD"),
    _says(content="WORD", reasoning={"summary": [{"text": "WORD"}, "WORD"]}),
    _says(content="WORD", reasoning_details=[{"type": "reasoning.text", "text": "WORD"}, {"text": "WORD"}]),
    _says(content="WORD", audio={"id": "a", "data": "b"}),
]
"""Messages in the forms of several clients, all of whose words are rendered."""
STRAY: list[Any] = ["WORD", ["WORD"], {"other": "WORD"}, [{"type": "text", "text": "WORD"}]]


def with_stray(value: Any) -> Iterator[Any]:
    """Yield copies of a JSON value with one key more in an object, or another value somewhere within."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, inner in places:
        replaced = [] if place in ("role", "type") else STRAY
        for one in (*replaced, *with_stray(inner)):
            yield (
                {**value, place: one}
                if isinstance(value, dict)
                else [one if index == place else other for index, other in enumerate(value)]
            )
    if isinstance(value, dict):
        for key in (key for key in KEYS if key not in value):
            yield from ({**value, key: one} for one in STRAY)


def numbered(value: Any, counter: Iterator[int]) -> Any:
    """Return the value with every WORD replaced by one that occurs nowhere else."""
    if value == "WORD":
        return marked(next(counter))
    if isinstance(value, list):
        return [numbered(one, counter) for one in value]
    if isinstance(value, dict):
        return {key: numbered(one, counter) for key, one in value.items()}
    return value


def words(value: Any, metadata: set[str]) -> Iterator[str]:
    """Yield every word of a JSON value that is not under a metadata key."""
    if isinstance(value, str):
        yield from [value] if value.startswith("word") else []
    elif isinstance(value, list):
        for one in value:
            yield from words(one, metadata)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "audio" and isinstance(one, dict):
                yield from words(one.get("transcript"), INNER)
            elif key not in metadata:
                yield from words(one, INNER)


def rendered(talk: Conversation) -> str:
    """Return everything that a conversation renders."""
    parts = [
        (turn.content, turn.reasoning, *(one.name + one.arguments for one in turn.calls))
        for turn in talk.turns
    ]
    return "\0".join(part for turn in parts for part in turn)


def lost(log: dict[str, Any]) -> list[tuple[int, str]]:
    """Return (message number, word) for each word that is neither rendered nor metadata."""
    text = rendered(conversation(log))
    return [
        (number, word)
        for number, message in enumerate(logged_messages(log), 1)
        for word in words(message, METADATA)
        if word not in text
    ]


def flagged(log: dict[str, Any]) -> set[int | None]:
    """Return the numbers of the messages that carry a flag that admits a loss."""
    return {note.message for note in conversation(log).notes if note.flag in ADMITS_LOSS}


def check(log: dict[str, Any]) -> None:
    """Assert that every word of a log is accounted for, in the message in which it is logged."""
    log = numbered(log, iter(range(10_000)))
    missing, numbers = lost(log), flagged(log)
    assert [(number, word) for number, word in missing if number not in numbers] == []


@settings(max_examples=300)
@given(logged=st.lists(messages, min_size=1, max_size=4), answer=answers)
def test_every_word_is_rendered_or_metadata_or_flagged(logged: list[dict[str, Any]], answer: Any) -> None:
    check({"request": {"messages": logged}, "response": answer})


@settings(max_examples=300)
@given(message=with_one_field | with_one_part)
def test_every_word_of_a_message_with_one_unusual_field_is_accounted_for(message: dict[str, Any]) -> None:
    """Without other faults, whose flags could hide that this field is not read."""
    check({"request": {"messages": [message]}})


@pytest.mark.parametrize("message", SOUND, ids=str)
def test_every_word_is_rendered_in_the_form_of_each_client(message: dict[str, Any]) -> None:
    log = numbered({"request": {"messages": [message]}}, iter(range(10_000)))
    assert (lost(log), flagged(log)) == ([], set())


@pytest.mark.parametrize("message", SOUND, ids=str)
def test_one_stray_value_anywhere_is_accounted_for(message: dict[str, Any]) -> None:
    for changed in with_stray(message):
        check({"request": {"messages": [changed]}})


@settings(max_examples=300)
@given(prompt=values, has_system=st.booleans())
def test_every_word_of_a_system_prompt_in_the_settings_is_accounted_for(
    prompt: Any, has_system: bool
) -> None:
    first = {"role": "system", "content": "WORD"} if has_system else {"role": "user", "content": "WORD"}
    log = {"request": {"messages": [first], "model_config_dict": {"system": prompt}}}
    log = numbered(log, iter(range(10_000)))
    text, flags = rendered(conversation(log)), conversation(log).flags
    prompt = log["request"]["model_config_dict"]["system"]
    missing = [word for word in words(prompt, INNER) if word not in text]
    assert not missing or flags & ADMITS_LOSS


def test_forgotten_field_is_found() -> None:
    log = {
        "request": {
            "messages": [{"role": "assistant", "content": "word1w", "reasoning_v2": "word2w"}],
        }
    }
    assert lost(log) == [(1, "word2w")]
    assert flagged(log) == {1}
