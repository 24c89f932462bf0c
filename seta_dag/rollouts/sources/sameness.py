"""When two logged messages say the same (rule R4)."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.conversation import Role
from seta_dag.rollouts.sources.fields import ROLES, is_blank
from seta_dag.rollouts.sources.inline import split_inline
from seta_dag.rollouts.sources.notes import Notes
from seta_dag.rollouts.sources.parts import read_content

_FIELDS = ("role", "content", "refusal", "tool_calls", "function_call")


class Wording(NamedTuple):
    """What a message says, apart from its reasoning.

    Attributes:
        role: as it is read; None for an unknown one.
        text: content as logged, stripped.
        answer: content without inline reasoning, stripped.
        inline: that reasoning.
        calls: (id, name, arguments) of each call, arguments in one form for equal values.
    """

    role: Role | None
    text: str
    answer: str
    inline: str
    calls: tuple[tuple[Any, Any, str], ...]


def wording(message: dict[str, Any]) -> Wording:
    """Take a message apart."""
    role, notes = ROLES.get(message["role"]), Notes()
    content = read_content(message.get("content"), role or "user", notes)
    text = "".join([*content.results, content.text])
    if role == "assistant" and not text.strip() and isinstance(message.get("refusal"), str):
        text = message["refusal"]
    inline, answer = split_inline("", text, notes) if role == "assistant" else ("", text)
    calls = _calls(message, content.calls) if role == "assistant" else ()
    return Wording(role, text.strip(), answer.strip(), inline, calls)


def identical(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two messages are logged alike in every field that `wording` reads.

    They are the same then, and most messages can be compared in this much cheaper way.
    """
    return all(one.get(key) == other.get(key) for key in _FIELDS)


def same(one: Wording, other: Wording) -> bool:
    """Return whether two messages are the same: role, text and calls; ids and reasoning do not count."""
    texts = {one.text, one.answer} & {other.text, other.answer}
    calls = [[call[1:] for call in message.calls] for message in (one, other)]
    return one.role == other.role and bool(texts) and calls[0] == calls[1]


def _calls(message: dict[str, Any], used: list[dict[str, Any]]) -> tuple[tuple[Any, Any, str], ...]:
    logged = message.get("tool_calls")
    found: list[tuple[Any, Any, str]] = []
    for call in logged if isinstance(logged, list) else ():
        function = (call.get("function") or call) if isinstance(call, dict) else None
        if isinstance(function, dict):
            found.append((call.get("id"), function.get("name"), _form(function.get("arguments"))))
    if not found and isinstance(message.get("function_call"), dict):
        function = message["function_call"]
        found.append((None, function.get("name"), _form(function.get("arguments"))))
    ids = {call[0] for call in found if isinstance(call[0], str)}
    found += [
        (part.get("id"), part.get("name"), _form(part.get("input")))
        for part in used
        if not isinstance(part.get("id"), str) or part["id"] not in ids
    ]
    return tuple(found)


def _form(arguments: Any) -> str:
    """Return arguments as sorted JSON where they parse: none, null and blank are `{}`."""
    if is_blank(arguments):
        return "{}"
    if isinstance(arguments, str):
        try:
            arguments = json_reader.parse(arguments.encode("utf-8", "surrogatepass"))
        except json_reader.UnreadableError:
            return str(arguments)
    return json.dumps(arguments, sort_keys=True) if not is_blank(arguments) else "{}"
