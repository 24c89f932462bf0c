"""Read the conversation of a log of any client (rule R5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.calls import read_calls, to_json
from seta_dag.rollouts.sources.fields import (
    METADATA,
    REASONING_FIELDS,
    ROLES,
    has_words,
    is_blank,
    unread_keys,
)
from seta_dag.rollouts.sources.final_turn import final_turn, note_response
from seta_dag.rollouts.sources.inline import split_inline
from seta_dag.rollouts.sources.notes import Notes
from seta_dag.rollouts.sources.parts import Content, read_content
from seta_dag.rollouts.sources.reasoning import separate_reasoning
from seta_dag.rollouts.sources.soundness import check_soundness


class Borrowed(NamedTuple):
    """Reasoning of a turn that another log holds, and the name of that log."""

    reasoning: str
    log: str


def conversation(log: dict[str, Any], borrowed: Mapping[int, Borrowed] | None = None) -> Conversation:
    """Return the conversation of a usable log: `request.messages` and the final turn.

    Args:
        log: a log that rule R4 calls usable.
        borrowed: reasoning from other logs, by index of the message from 0.
    """
    messages, notes = logged_messages(log), Notes()
    turns: list[tuple[int | None, Turn]] = []
    for index, message in enumerate(messages):
        notes.message = index + 1
        turns += ((index + 1, turn) for turn in _turns(message, (borrowed or {}).get(index), notes))
    notes.message = None
    turns[:0] = [(None, turn) for turn in _system(log, [turn for _, turn in turns], notes)]
    note_response(log, notes)
    check_soundness(turns, notes)
    tools = tuple(map(clean, _schemas(log)))
    return Conversation(tuple(turn for _, turn in turns), tools, len(messages), notes.done())


def logged_messages(log: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a usable log, including the final turn."""
    messages, final = log["request"]["messages"], final_turn(log)
    return messages if final is None else [*messages, {**final, "role": "assistant"}]


def _turns(message: dict[str, Any], borrowed: Borrowed | None, notes: Notes) -> Iterator[Turn]:
    role = ROLES.get(message["role"])
    if role is None:
        notes.add(Flag.UNKNOWN_ROLE, message["role"])
        return
    content = read_content(message.get("content"), role, notes)
    if role == "assistant":
        yield _assistant(message, content, borrowed, notes)
        return
    _flag_unread(message, ["content"], notes)
    yield from (Turn("tool", clean(result)) for result in content.results)
    if content.text or not content.results:
        yield Turn(role, clean(content.text))


def _assistant(message: dict[str, Any], content: Content, borrowed: Borrowed | None, notes: Notes) -> Turn:
    separate = separate_reasoning(message, content.reasoning, notes)
    if borrowed is not None:
        separate = borrowed.reasoning
        notes.add(Flag.REASONING_FROM_OTHER_LOG, borrowed.log)
    text, is_refusal = _text_or_refusal(message, content)
    read = ["content", "tool_calls", *REASONING_FIELDS]
    read += ["function_call"] if is_blank(message.get("tool_calls")) else []
    read += ["refusal"] if is_refusal else []
    _flag_unread(message, read, notes)
    reasoning, text = split_inline(separate, text, notes)
    calls = read_calls(message, content.calls, notes)
    return Turn("assistant", clean(text), clean(reasoning), calls, borrowed and borrowed.log)


def _text_or_refusal(message: dict[str, Any], content: Content) -> tuple[str, bool]:
    """Return (text of the turn, whether it is the field `refusal`, which counts if there is no other)."""
    refusal = message.get("refusal")
    if content.text.strip() or not isinstance(refusal, str):
        return content.text, False
    return refusal or content.text, True


def _flag_unread(message: dict[str, Any], read: list[str], notes: Notes) -> None:
    for lost in unread_keys(message, read, METADATA):
        notes.add(Flag.UNREAD_FIELD, lost)


def _config(log: dict[str, Any]) -> dict[str, Any]:
    config = log["request"].get("model_config_dict")
    return config if isinstance(config, dict) else {}


def _system(log: dict[str, Any], turns: list[Turn], notes: Notes) -> list[Turn]:
    """Return the system turn of Anthropic's form, where the system prompt is not a message."""
    logged = _config(log).get("system")
    if is_blank(logged):
        return []
    text = read_content(logged, "system", notes).text
    first = next((turn for turn in turns if turn.role == "system"), None)
    if first is None:
        return [Turn("system", clean(text))] if text else []
    if has_words(logged) and first.content.strip() != clean(text).strip():
        notes.add(Flag.UNREAD_FIELD, "model_config_dict.system says something else than the system message")
    return []


def _schemas(log: dict[str, Any]) -> Iterator[str]:
    tools = _config(log).get("tools")
    for tool in tools if isinstance(tools, list) else ():
        yield to_json(_openai_schema(tool))


def _openai_schema(tool: Any) -> Any:
    """Return Anthropic's form of a schema as OpenAI's, any other as it is."""
    if not isinstance(tool, dict) or not {"name", "input_schema"} <= tool.keys() or "function" in tool:
        return tool
    function = {key: tool[key] for key in ("name", "description") if key in tool}
    return {"type": "function", "function": {**function, "parameters": tool["input_schema"]}}
