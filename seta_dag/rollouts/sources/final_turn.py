"""The turn that a log's own model call returned (rule R4)."""

from __future__ import annotations

from typing import Any

from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.notes import Notes

_CUT_SHORT = frozenset({"length", "max_tokens", "content_filter", "error"})


def final_turn(log: dict[str, Any]) -> dict[str, Any] | None:
    """Return the message of the response, None if it holds no turn.

    That is `response.choices[0].message`, or the content of a streamed response that ended by itself: CAMEL
    logs the text of such a response, but neither its reasoning nor its calls.
    """
    response = log.get("response")
    message = _first_choice(response).get("message")
    if isinstance(message, dict):
        return message
    if isinstance(response, dict) and response.get("streaming") is True:
        content = response.get("content")
        if isinstance(content, str) and response.get("finish_reason") == "stop":
            return {"content": content}
    return None


def assistant_turns(log: dict[str, Any]) -> int:
    """Return the number of assistant turns of a usable log, counting the final turn."""
    roles: list[str] = [message["role"] for message in log["request"]["messages"]]
    return roles.count("assistant") + (final_turn(log) is not None)


def note_response(log: dict[str, Any], notes: Notes) -> None:
    """Flag a response without a turn, and a turn that the provider cut short."""
    response = log.get("response")
    if response is None:
        return
    if final_turn(log) is None:
        notes.add(Flag.NO_FINAL_TURN)
        return
    reason = _first_choice(response).get("finish_reason")
    if isinstance(reason, str) and reason in _CUT_SHORT:
        notes.add(Flag.CUT_SHORT, f"finish_reason {reason}")


def _first_choice(response: Any) -> dict[str, Any]:
    choices = response.get("choices") if isinstance(response, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}
