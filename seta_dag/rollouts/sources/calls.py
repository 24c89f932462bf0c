"""Tool calls of an assistant message: OpenAI's, legacy function calls, Anthropic's (rule R5)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.conversation import Call
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.fields import INNER_METADATA, is_blank, unread_keys
from seta_dag.rollouts.sources.notes import Notes


def read_calls(message: Mapping[str, Any], used: list[dict[str, Any]], notes: Notes) -> tuple[Call, ...]:
    """Return the calls of a message in order; `used` are its `tool_use` parts.

    A call without a string name is left out and flagged `bad_tool_call`. A `tool_use` part repeats a call
    if it has its id.
    """
    calls = list(_logged_calls(message, notes))
    ids = {call_id for call_id, _ in calls if call_id is not None}
    for part in used:
        call_id = part.get("id")  # of any type, and the set takes only what can be hashed
        if not isinstance(call_id, str) or call_id not in ids:
            calls += _call(part, part, "input", notes)
    return tuple(call for _, call in calls)


def _logged_calls(message: Mapping[str, Any], notes: Notes) -> Iterator[tuple[str | None, Call]]:
    logged = message.get("tool_calls")
    if is_blank(logged):
        if not is_blank(message.get("function_call")):
            yield from _function(None, message["function_call"], notes)
        return
    if not isinstance(logged, list):
        notes.add(Flag.BAD_TOOL_CALL, "tool_calls is not a list")
        return
    for one in logged:
        function = (one.get("function") or one) if isinstance(one, dict) else None
        if function is not one and isinstance(one, dict) and isinstance(function, dict):
            _flag_unread(one, ["function"], notes)
        yield from _function(one, function, notes)


def _function(call: Any, function: Any, notes: Notes) -> Iterator[tuple[str | None, Call]]:
    if isinstance(function, dict):
        yield from _call(call if isinstance(call, dict) else {}, function, "arguments", notes)
    else:
        notes.add(Flag.BAD_TOOL_CALL, "a call that is not an object")


def _call(
    record: Mapping[str, Any], function: dict[str, Any], key: str, notes: Notes
) -> Iterator[tuple[str | None, Call]]:
    """Yield (id, call), nothing if it has no name. `key` is that of its arguments."""
    name, call_id = function.get("name"), record.get("id")
    if not isinstance(name, str):
        notes.add(Flag.BAD_TOOL_CALL, "a call without a name")
        return
    _flag_unread(function, ["name", key], notes)
    arguments = clean(_arguments(function.get(key), notes))
    yield call_id if isinstance(call_id, str) else None, Call(clean(name), arguments)


def _flag_unread(record: Mapping[str, Any], read: list[str], notes: Notes) -> None:
    for lost in unread_keys(record, read, INNER_METADATA):
        notes.add(Flag.UNREAD_FIELD, f"tool_calls.{lost}")


def _arguments(logged: Any, notes: Notes) -> str:
    """Return JSON text: a string as it is, even malformed; an object as JSON; null as `{}`."""
    if logged is None:
        return "{}"
    if not isinstance(logged, str):
        return to_json(logged)
    if not json_reader.is_json(logged):
        notes.add(Flag.BAD_ARGUMENTS)
    return logged


def to_json(value: Any) -> str:
    """Return JSON as the chat template's `tojson` writes it: unsorted, spaced, not ASCII-escaped."""
    return json.dumps(value, ensure_ascii=False)
