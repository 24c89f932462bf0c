"""The conversation of a log, whatever the backend that wrote it (rule R5, docs/rules.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.conversation import Call, Conversation, Role, Turn
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.snapshot import final_turn

_ROLES: dict[str, Role] = {
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool",
}  # fmt: skip


def conversation(log: dict[str, Any]) -> Conversation:
    """Return the conversation of a usable log (rule R4): `request.messages` and the final turn.

    Raises:
        RecursionError: arguments or a tool schema are nested too deeply to be written as JSON.
    """
    messages = list(log["request"]["messages"])
    final = final_turn(log)
    if final is not None:
        messages.append({**final, "role": "assistant"})  # whatever its role says, if it has one
    flags: set[str] = set()
    turns = tuple(_turn(message, flags) for message in messages if _has_known_role(message, flags))
    return Conversation(turns, tuple(_schemas(log)), len(messages), frozenset(flags))


def _has_known_role(message: dict[str, Any], flags: set[str]) -> bool:
    if message["role"] not in _ROLES:
        flags.add(Flag.UNKNOWN_ROLE)
    return message["role"] in _ROLES


def _turn(message: dict[str, Any], flags: set[str]) -> Turn:
    role = _ROLES[message["role"]]
    content = clean(_text(message.get("content"), flags))
    if role != "assistant":
        return Turn(role, content)
    reasoning, content = _reasoning(message.get("reasoning_content"), content, flags)
    return Turn(role, content, reasoning, tuple(_calls(message.get("tool_calls"), flags)))


def _text(content: Any, flags: set[str]) -> str:
    """Return content as text: a string, nothing for null, or the joined text parts of a list."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        flags.add(Flag.BAD_CONTENT)
        return ""
    return "".join(_part(part) for part in content)


def _part(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    return text if isinstance(text, str) else ""


def _reasoning(logged: Any, content: str, flags: set[str]) -> tuple[str, str]:
    """Return (reasoning, content) of an assistant turn; reasoning may be inline at the start of content."""
    if logged is not None and not isinstance(logged, str):
        flags.add(Flag.BAD_CONTENT)
    if isinstance(logged, str) and logged:
        return clean(logged), content
    stripped = content.lstrip()
    # Only a block at the start is reasoning. Anywhere else, the model or a tool writes about such tags.
    if not stripped.startswith("<think>") or "</think>" not in stripped:
        return "", content
    inline, _, rest = stripped.removeprefix("<think>").partition("</think>")
    return inline.strip("\n"), rest.lstrip("\n")


def _calls(logged: Any, flags: set[str]) -> Iterator[Call]:
    if logged is not None and not isinstance(logged, list):
        flags.add(Flag.BAD_TOOL_CALL)
    for call in logged if isinstance(logged, list) else ():
        # Some backends log the name and arguments without an object `function` around them.
        function = (call.get("function") or call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            flags.add(Flag.BAD_TOOL_CALL)
            continue
        yield Call(clean(function["name"]), clean(_arguments(function.get("arguments"), flags)))


def _arguments(logged: Any, flags: set[str]) -> str:
    """Return arguments as JSON text: strings verbatim, other values as JSON, null as `{}`."""
    if logged is None:
        return "{}"
    if not isinstance(logged, str):
        return to_json(logged)
    # Malformed JSON stays as the teacher wrote it, because the tool's answer refers to it.
    if not json_reader.is_json(logged):
        flags.add(Flag.BAD_ARGUMENTS)
    return logged


def _schemas(log: dict[str, Any]) -> Iterable[str]:
    config = log["request"].get("model_config_dict")
    tools = config.get("tools") if isinstance(config, dict) else None
    return (clean(to_json(tool)) for tool in tools) if isinstance(tools, list) else ()


def to_json(value: Any) -> str:
    """Return JSON as the chat template's `tojson` writes it: unsorted, spaced, not ASCII-escaped."""
    return json.dumps(value, ensure_ascii=False)
