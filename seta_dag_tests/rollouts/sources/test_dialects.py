"""A log of any backend gives the same form of conversation (R5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from seta_dag.rollouts.conversation import Call, Role, Turn
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag_tests.support import template
from seta_dag_tests.support.conversations import Log, assistant, call, log, logs, response, user

# Logged content, the text it gives, and flags.
CONTENTS: dict[str, tuple[Any, str, set[str]]] = {
    "a string": ("a", "a", set()),
    "null": (None, "", set()),
    "an empty string": ("", "", set()),
    "an empty list": ([], "", set()),
    "text parts": ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab", set()),
    "part is a string": (["a", {"type": "text", "text": "b"}], "ab", set()),
    "image between texts": (
        [{"text": "a"}, {"type": "image_url", "image_url": {}}, {"text": "b"}],
        "ab",
        {"bad_content"},
    ),
    "text of a part is null": ([{"type": "text", "text": None}, "b"], "b", {"bad_content"}),
    "parts of wrong types": ([None, 1, ["x"]], "", {"bad_content"}),
    "text parts of other types": (
        [{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}],
        "ab",
        set(),
    ),
    "text of a part of an unknown type": ([{"type": "video", "text": "a"}, "b"], "b", {"bad_content"}),
    "refusal part": ([{"type": "refusal", "refusal": "No."}], "No.", set()),
    "an object": ({"text": "a"}, "", {"bad_content"}),
    "a number": (7, "", {"bad_content"}),
    "lone surrogates": ("a\ud83d\ud83db", "a\ufffd\ufffdb", set()),
    "white space at both ends": (" \n a \n ", " \n a \n ", set()),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_content_is_read_as_text(name: str) -> None:
    logged, expected, flags = CONTENTS[name]
    found = conversation(log(user(logged), answer=assistant("x")))
    assert (found.turns[0], set(found.flags)) == (Turn("user", expected), flags)


def test_missing_content_is_empty() -> None:
    assert conversation(log({"role": "user"})).turns == (Turn("user", ""),)


# Logged reasoning_content and content, and the reasoning and content they give.
REASONING: dict[str, tuple[Any, str, str, str]] = {
    "reasoning_content": ("why", "a", "why", "a"),
    "reasoning_content with newlines": ("\nwhy\n", "\na", "\nwhy\n", "\na"),
    "inline": (None, "<think>why</think>a", "why", "a"),
    "inline, reasoning_content is empty": ("", "<think>why</think>a", "why", "a"),
    "inline, newlines at both ends": (None, "<think>\n\nwhy\nso\n</think>\n\n\na\n", "why\nso", "a\n"),
    "inline, spaces at both ends": (None, "<think> why </think> a", " why ", " a"),
    "inline, white space before": (None, " \n\t<think>why</think>a", "why", "a"),
    "inline, empty": (None, "<think></think>a", "", "a"),
    "inline, only newlines": (None, "<think>\n\n</think>\n\na", "", "a"),
    "inline, no content": (None, "<think>why</think>", "why", ""),
    "inline, two closing tags": (None, "<think>a</think>b</think>c", "a", "b</think>c"),
    "inline, two opening tags": (None, "<think>a<think>b</think>c", "a<think>b", "c"),
    "inline, two blocks at the start": (None, "<think>a</think>\n<think>b</think>d", "a\nb", "d"),
    "inline, two blocks with text between": (
        None,
        "<think>a</think>b<think>c</think>d",
        "a",
        "b<think>c</think>d",
    ),
    "inline, line separator is not a newline": (None, "<think>\u2028a</think>b", "\u2028a", "b"),
    "not closed": (None, "<think>why", "why", ""),
    "not opened": (None, "why</think>a", "", "why</think>a"),
    "not at the start": (None, "a<think>why</think>b", "", "a<think>why</think>b"),
    "closed before it is opened": (None, "</think><think>a", "", "</think><think>a"),
    "not opened, on a line of its own": (None, "why\n</think>\n\na", "why", "a"),
    "reasoning_content and a block at the start": ("why", "<think>a</think>b", "why\na", "b"),
    "reasoning_content and the same block": ("why\n", "<think>why</think>b", "why\n", "b"),
    "reasoning_content of white space": (" \n", "\na", "", "\na"),
    "reasoning_content and a closing tag": ("why", "a</think>b", "why", "a</think>b"),
    "reasoning_content of white space and a block": (" ", "<think>a</think>b", "a", "b"),
    "lone surrogates": ("\ud800", "\udc00", "\ufffd", "\ufffd"),
    "reasoning_content of a wrong type": (7, "<think>why</think>a", "why", "a"),
}


@pytest.mark.parametrize("name", REASONING)
def test_reasoning_is_separated_from_content(name: str) -> None:
    logged, content, reasoning, rest = REASONING[name]
    (turn,) = conversation(log(assistant(content, logged))).turns
    assert (turn.reasoning, turn.content) == (reasoning, rest)


@pytest.mark.parametrize(
    ("role", "read_as"),
    [
        ("user", "user"),
        ("system", "system"),
        ("tool", "tool"),
        ("developer", "system"),
        ("function", "tool"),
    ],
)
def test_only_assistant_turns_have_reasoning_and_calls(role: str, read_as: Role) -> None:
    message = {**assistant("<think>a</think>b", "why", call("f", "{}")), "role": role}
    found = conversation(log(message))
    assert found.turns == (Turn(read_as, "<think>a</think>b"),)
    assert {note.detail for note in found.notes if note.flag == "unread_field"} == {
        "reasoning_content",
        "tool_calls",
    }


@pytest.mark.parametrize("role", ["critic", "", "Assistant", "assistant "])
def test_message_with_an_unknown_role_is_left_out_and_flagged(role: str) -> None:
    found = conversation(log(user("a"), {"role": role, "content": "b"}, answer=assistant("c")))
    assert [turn.content for turn in found.turns] == ["a", "c"]
    assert found.flags == {"unknown_role"}
    assert found.n_messages == 3


# Logged arguments, the JSON text they give, and flags.
ARGUMENTS: dict[str, tuple[Any, str, set[str]]] = {
    "a string": ('{"b": 1, "a":2}', '{"b": 1, "a":2}', set()),
    "string with escapes": ('{"a": "\\u00e9\\ud83d"}', '{"a": "\\u00e9\\ud83d"}', set()),
    "string with white space": (' {"a": 1}\n', ' {"a": 1}\n', set()),
    "an object": (
        {"b": [1, 2.5, None, True], "a": "é<'\n"},
        '{"b": [1, 2.5, null, true], "a": "é<\'\\n"}',
        set(),
    ),
    "an empty object": ({}, "{}", set()),
    "null": (None, "{}", set()),
    "malformed string": ('{"a": ', '{"a": ', {"bad_arguments"}),
    "empty string": ("", "", {"bad_arguments"}),
    "not JSON": ("ls -la", "ls -la", {"bad_arguments"}),
    "nested too deep": ("[" * 100_000, "[" * 100_000, {"bad_arguments"}),
    "a JSON string": ('"ls"', '"ls"', set()),
    "a lone surrogate": ('{"a": "\ud800"}', '{"a": "\ufffd"}', set()),
    "a lone surrogate in an object": ({"\ud800": "\udc00"}, '{"\ufffd": "\ufffd"}', set()),
    "NaN": ({"a": float("nan")}, '{"a": NaN}', set()),
    "a list": ([1, 2], "[1, 2]", set()),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_read_as_json_text(name: str) -> None:
    logged, expected, flags = ARGUMENTS[name]
    found = conversation(log(assistant("", "", call("f", logged))))
    assert (found.turns[0].calls, set(found.flags)) == ((Call("f", expected),), flags)


# Logged tool_calls, the calls they give, and flags.
CALLS: dict[str, tuple[Any, tuple[Call, ...], set[str]]] = {
    "none": ([], (), set()),
    "null": (None, (), set()),
    "two": ([call("f", "{}"), call("g", "1")], (Call("f", "{}"), Call("g", "1")), set()),
    "index": ([{**call("f", "{}"), "index": 0}], (Call("f", "{}"),), set()),
    "missing arguments": ([{"function": {"name": "f"}}], (Call("f", "{}"),), set()),
    "no function object": ([{"name": "f", "arguments": "{}"}], (Call("f", "{}"),), set()),
    "lone surrogate in the name": ([call("f\ud800", "{}")], (Call("f\ufffd", "{}"),), set()),
    "missing name": (
        [{"function": {"arguments": "{}"}}, call("g", "1")],
        (Call("g", "1"),),
        {"bad_tool_call"},
    ),
    "name is null": ([call("f", "{}") | {"function": {"name": None}}], (), {"bad_tool_call"}),
    "calls are not objects": (["f", None], (), {"bad_tool_call"}),
    "not a list": ({"name": "f"}, (), {"bad_tool_call"}),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_read_in_order(name: str) -> None:
    logged, expected, flags = CALLS[name]
    found = conversation(log({"role": "assistant", "content": "Look.", "tool_calls": logged}))
    assert (found.turns[0].calls, set(found.flags)) == (expected, flags)


# Other keys of a log with one message, and the number of messages with the final turn.
FINALS: dict[str, tuple[dict[str, Any], int]] = {
    "no response": ({}, 1),
    "null": ({"response": None}, 1),
    "a string": ({"response": "Done."}, 1),
    "streamed": ({"response": {"content": "Done.", "finish_reason": "stop", "streaming": True}}, 2),
    "streamed, with calls": (
        {"response": {"content": "Done.", "finish_reason": "tool_calls", "streaming": True}},
        1,
    ),
    "streamed, content is null": (
        {"response": {"content": None, "finish_reason": "stop", "streaming": True}},
        1,
    ),
    "not streamed": ({"response": {"content": "Done.", "finish_reason": "stop"}}, 1),
    "no choices": ({"response": {"choices": []}}, 1),
    "choices is null": ({"response": {"choices": None}}, 1),
    "choice is null": ({"response": {"choices": [None]}}, 1),
    "message is null": ({"response": response(None)}, 1),
    "message is a string": ({"response": response("Done.")}, 1),
    "message": ({"response": response(assistant("Done."))}, 2),
    "message without a role": ({"response": response({"content": "Done."})}, 2),
    "message with another role": ({"response": response({"role": "model", "content": "Done."})}, 2),
    "two choices": (
        {"response": {"choices": [{"message": assistant("Done.")}, {"message": assistant("B")}]}},
        2,
    ),
}


@pytest.mark.parametrize("name", FINALS)
def test_final_turn_is_the_message_of_the_first_choice(name: str) -> None:
    more, count = FINALS[name]
    found = conversation({**log(user("a")), **more})
    assert found.n_messages == len(found.turns) == count
    assert found.turns[1:] == (Turn("assistant", "Done."),) * (count - 1)
    assert ("no_final_turn" in found.flags) == (count == 1 and more.get("response") is not None)


_DESCRIBED = {"input_schema": {}, "cache_control": {"type": "ephemeral"}, "description": "G.", "name": "g"}
# Other keys of a request, and the tool schemas.
SCHEMAS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "none": ({}, ()),
    "model_config_dict is null": ({"model_config_dict": None}, ()),
    "tools is null": ({"model_config_dict": {"tools": None}}, ()),
    "tools is empty": ({"model_config_dict": {"tools": []}}, ()),
    "tools is a string": ({"model_config_dict": {"tools": "all"}}, ()),
    "two schemas with unsorted keys": (
        {"model_config_dict": {"tools": [{"b": 1, "a": "é"}, {"c": "\ud800"}]}},
        ('{"b": 1, "a": "é"}', '{"c": "\ufffd"}'),
    ),
    "schemas of Anthropic's form": (
        {"model_config_dict": {"tools": [{"name": "f", "input_schema": {"a": 1}}, _DESCRIBED]}},
        (
            '{"type": "function", "function": {"name": "f", "parameters": {"a": 1}}}',
            '{"type": "function", "function": {"name": "g", "description": "G.", "parameters": {}}}',
        ),
    ),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_tool_schemas_are_read_as_json_text(name: str) -> None:
    request, expected = SCHEMAS[name]
    assert conversation({"request": {"messages": [user("a")], **request}}).tools == expected


def test_metadata_is_not_rendered_and_gives_no_flag() -> None:
    with_more = {**assistant("b", "c"), "audio": None, "annotations": [{"url": "x"}], "x": {"n": [1, " "]}}
    document = log(user("a") | {"name": "me"}, answer=with_more)
    found = conversation(document | {"more": 1})
    assert found.turns == (Turn("user", "a"), Turn("assistant", "b", "c"))
    assert found.flags == set()


@given(document=logs())
def test_turns_agree_with_a_plain_reading_of_the_rule(document: Log) -> None:
    assert conversation(document).turns == tuple(map(as_turn, template.r5_messages(document)))


def as_turn(message: dict[str, Any]) -> Turn:
    """Return the message as a turn."""
    calls = tuple(as_call(one["name"], one["arguments"]) for one in message.get("tool_calls", ()))
    return Turn(message["role"], message["content"], message.get("reasoning_content", ""), calls)


def as_call(name: str, arguments: Any) -> Call:
    """Return the call with its arguments as JSON text."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return Call(template.clean(name), template.clean(text))
