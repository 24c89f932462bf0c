"""R5: the conversation of a log, every oddity of the backends settled."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from seta_dag.rollouts.conversation import Call, Turn
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag_tests.support import template
from seta_dag_tests.support.conversations import Log, assistant, call, log, logs, response, schema, tool, user

CONTENTS: dict[str, tuple[Any, str, set[str]]] = {
    "a string": ("a", "a", set()),
    "null": (None, "", set()),
    "an empty string": ("", "", set()),
    "an empty list": ([], "", set()),
    "text parts": ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab", set()),
    "a part that is a string": (["a", {"type": "text", "text": "b"}], "ab", set()),
    "an image between": ([{"text": "a"}, {"type": "image_url", "image_url": {}}, {"text": "b"}], "ab", set()),
    "a part whose text is null": ([{"type": "text", "text": None}, "b"], "b", set()),
    "parts of no sense": ([None, 1, ["x"]], "", set()),
    "an object": ({"text": "a"}, "", {"bad_content"}),
    "a number": (7, "", {"bad_content"}),
    "lone surrogates": ("a\ud83d\ud83db", "a\ufffd\ufffdb", set()),
    "white space at the ends": (" \n a \n ", " \n a \n ", set()),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_content_is_a_string(name: str) -> None:
    logged, expected, flags = CONTENTS[name]
    found = conversation(log(user(logged), answer=assistant("x")))
    assert (found.turns[0], set(found.flags)) == (Turn("user", expected), flags)


def test_absent_content_is_nothing() -> None:
    assert conversation(log({"role": "user"})).turns == (Turn("user", ""),)


REASONING: dict[str, tuple[Any, str, str, str]] = {
    "beside the content": ("why", "a", "why", "a"),
    "beside the content, with newlines": ("\nwhy\n", "\na", "\nwhy\n", "\na"),
    "inline": (None, "<think>why</think>a", "why", "a"),
    "inline, reasoning empty": ("", "<think>why</think>a", "why", "a"),
    "inline, newlines at both ends": (None, "<think>\n\nwhy\nso\n</think>\n\n\na\n", "why\nso", "a\n"),
    "inline, spaces at both ends": (None, "<think> why </think> a", " why ", " a"),
    "inline, white space before": (None, " \n\t<think>why</think>a", "why", "a"),
    "inline, nothing in it": (None, "<think></think>a", "", "a"),
    "inline, newlines in it": (None, "<think>\n\n</think>\n\na", "", "a"),
    "inline, nothing after it": (None, "<think>why</think>", "why", ""),
    "inline, two closing tags": (None, "<think>a</think>b</think>c", "a", "b</think>c"),
    "inline, two opening tags": (None, "<think>a<think>b</think>c", "a<think>b", "c"),
    "inline, two blocks": (None, "<think>a</think>b<think>c</think>d", "a", "b<think>c</think>d"),
    "inline, a newline that is none": (None, "<think>\u2028a</think>b", "\u2028a", "b"),
    "not closed": (None, "<think>why", "", "<think>why"),
    "not opened": (None, "why</think>a", "", "why</think>a"),
    "not at the head": (None, "a<think>why</think>b", "", "a<think>why</think>b"),
    "closed before it is opened": (None, "</think><think>a", "", "</think><think>a"),
    "beside content that begins with a block": ("why", "<think>a</think>b", "why", "<think>a</think>b"),
    "beside content with a closing tag": ("why", "a</think>b", "why", "a</think>b"),
    "white space beside a block": (" ", "<think>a</think>b", " ", "<think>a</think>b"),
    "lone surrogates": ("\ud800", "\udc00", "\ufffd", "\ufffd"),
    "of no sense": (7, "<think>why</think>a", "why", "a"),
}


@pytest.mark.parametrize("name", REASONING)
def test_reasoning_and_content_are_told_apart(name: str) -> None:
    logged, content, reasoning, rest = REASONING[name]
    (turn,) = conversation(log(assistant(content, logged))).turns
    assert (turn.reasoning, turn.content) == (reasoning, rest)


@pytest.mark.parametrize("role", ["user", "system", "tool", "developer"])
def test_only_assistant_turns_have_reasoning_and_calls(role: str) -> None:
    message = {**assistant("<think>a</think>b", "why", call("f", "{}")), "role": role}
    read = "system" if role == "developer" else role
    assert conversation(log(message)).turns == (Turn(read, "<think>a</think>b"),)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ["critic", "function", "", "Assistant", "assistant "])
def test_an_unknown_role_is_left_out_and_told(role: str) -> None:
    found = conversation(log(user("a"), {"role": role, "content": "b"}, answer=assistant("c")))
    assert [turn.content for turn in found.turns] == ["a", "c"]
    assert found.flags == {"unknown_role"}
    assert found.n_messages == 3


ARGUMENTS: dict[str, tuple[Any, str, set[str]]] = {
    "a string": ('{"b": 1, "a":2}', '{"b": 1, "a":2}', set()),
    "escapes stay": ('{"a": "\\u00e9\\ud83d"}', '{"a": "\\u00e9\\ud83d"}', set()),
    "white space stays": (' {"a": 1}\n', ' {"a": 1}\n', set()),
    "an object": (
        {"b": [1, 2.5, None, True], "a": "é<'\n"},
        '{"b": [1, 2.5, null, true], "a": "é<\'\\n"}',
        set(),
    ),
    "an empty object": ({}, "{}", set()),
    "null": (None, "{}", set()),
    "malformed": ('{"a": ', '{"a": ', {"bad_arguments"}),
    "empty": ("", "", {"bad_arguments"}),
    "no JSON": ("ls -la", "ls -la", {"bad_arguments"}),
    "too deep": ("[" * 100_000, "[" * 100_000, {"bad_arguments"}),
    "a JSON string": ('"ls"', '"ls"', set()),
    "a lone surrogate": ('{"a": "\ud800"}', '{"a": "\ufffd"}', set()),
    "a lone surrogate in an object": ({"\ud800": "\udc00"}, '{"\ufffd": "\ufffd"}', set()),
    "not a number": ({"a": float("nan")}, '{"a": NaN}', set()),
    "a list": ([1, 2], "[1, 2]", set()),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_json_text(name: str) -> None:
    logged, expected, flags = ARGUMENTS[name]
    found = conversation(log(assistant("", "", call("f", logged))))
    assert (found.turns[0].calls, set(found.flags)) == ((Call("f", expected),), flags)


CALLS: dict[str, tuple[Any, tuple[Call, ...], set[str]]] = {
    "none": ([], (), set()),
    "null": (None, (), set()),
    "two": ([call("f", "{}"), call("g", "1")], (Call("f", "{}"), Call("g", "1")), set()),
    "with an index": ([{**call("f", "{}"), "index": 0}], (Call("f", "{}"),), set()),
    "arguments absent": ([{"function": {"name": "f"}}], (Call("f", "{}"),), set()),
    "without a function around it": ([{"name": "f", "arguments": "{}"}], (Call("f", "{}"),), set()),
    "a lone surrogate in the name": ([call("f\ud800", "{}")], (Call("f\ufffd", "{}"),), set()),
    "no name": ([{"function": {"arguments": "{}"}}, call("g", "1")], (Call("g", "1"),), {"bad_tool_call"}),
    "a name that is null": ([call("f", "{}") | {"function": {"name": None}}], (), {"bad_tool_call"}),
    "no object": (["f", None], (), {"bad_tool_call"}),
    "no list": ({"name": "f"}, (), {"bad_tool_call"}),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_are_kept_in_order(name: str) -> None:
    logged, expected, flags = CALLS[name]
    found = conversation(log({"role": "assistant", "content": "", "tool_calls": logged}))
    assert (found.turns[0].calls, set(found.flags)) == (expected, flags)


FINALS: dict[str, tuple[dict[str, Any], int]] = {
    "no response": ({}, 1),
    "null": ({"response": None}, 1),
    "a string": ({"response": "Done."}, 1),
    "streamed": ({"response": {"content": "Done.", "finish_reason": "stop", "streaming": True}}, 1),
    "no choices": ({"response": {"choices": []}}, 1),
    "choices that are null": ({"response": {"choices": None}}, 1),
    "a choice that is null": ({"response": {"choices": [None]}}, 1),
    "a message that is null": ({"response": response(None)}, 1),
    "a message that is a string": ({"response": response("Done.")}, 1),
    "a message": ({"response": response(assistant("Done."))}, 2),
    "a message without a role": ({"response": response({"content": "Done."})}, 2),
    "a message of another role": ({"response": response({"role": "model", "content": "Done."})}, 2),
    "two choices": (
        {"response": {"choices": [{"message": assistant("Done.")}, {"message": assistant("B")}]}},
        2,
    ),
}


@pytest.mark.parametrize("name", FINALS)
def test_the_final_turn_is_the_first_choices_message(name: str) -> None:
    more, count = FINALS[name]
    found = conversation({**log(user("a")), **more})
    assert found.n_messages == len(found.turns) == count
    assert found.turns[1:] == (Turn("assistant", "Done."),) * (count - 1)


SCHEMAS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "none": ({}, ()),
    "config null": ({"model_config_dict": None}, ()),
    "tools null": ({"model_config_dict": {"tools": None}}, ()),
    "tools empty": ({"model_config_dict": {"tools": []}}, ()),
    "tools of no sense": ({"model_config_dict": {"tools": "all"}}, ()),
    "two, unsorted": (
        {"model_config_dict": {"tools": [{"b": 1, "a": "é"}, {"c": "\ud800"}]}},
        ('{"b": 1, "a": "é"}', '{"c": "\ufffd"}'),
    ),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_tool_schemas_are_json_text(name: str) -> None:
    request, expected = SCHEMAS[name]
    assert conversation({"request": {"messages": [user("a")], **request}}).tools == expected


def test_keys_that_are_not_known_do_not_matter() -> None:
    strange = {**assistant("b", "c"), "audio": None, "annotations": [], "x": {"role": "user"}}
    made = log(user("a") | {"name": "me"}, answer=strange)
    assert conversation(made | {"more": 1}).turns == (Turn("user", "a"), Turn("assistant", "b", "c"))


@given(made=logs())
def test_turns_are_as_the_rule_says_word_for_word(made: Log) -> None:
    assert conversation(made).turns == tuple(map(as_turn, template.r5_messages(made)))


def as_turn(message: dict[str, Any]) -> Turn:
    """The message as a turn."""
    calls = tuple(as_call(one["name"], one["arguments"]) for one in message.get("tool_calls", ()))
    return Turn(message["role"], message["content"], message.get("reasoning_content", ""), calls)


def as_call(name: str, arguments: Any) -> Call:
    """The call, its arguments as JSON text."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return Call(template.clean(name), template.clean(text))


def test_assistant_turns_are_counted() -> None:
    made = log(user("a"), assistant("b"), tool("c"), answer=assistant("d"), tools=[schema("f")])
    assert conversation(made).n_assistant_turns == 2
