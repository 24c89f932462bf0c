"""What the public reference reads of a log, where that is less than rules R4 and R5 (docs/rules.md).

It knows one dialect: the messages of the request and of the response, their content where it is a string,
`reasoning_content` and `tool_calls`. Every difference has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain, combinations
from typing import Any, NamedTuple

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.sources.dialects import conversation, logged_messages
from seta_dag.rollouts.sources.fields import REASONING_FIELDS, ROLES
from seta_dag.rollouts.sources.notes import Notes
from seta_dag.rollouts.sources.parts import read_content
from seta_dag.rollouts.sources.reasoning import separate_reasoning

Log = dict[str, Any]
_KNOWN_ROLES = ("system", "user", "assistant", "tool")

READING = {
    "streamed_answer": "the final answer of a streamed response is not read",
    "reasoning_fields": "reasoning is read from reasoning_content only",
    "inline_reasoning": "reasoning at the head of the content is left in it",
    "content_parts": "content in parts is not read, nor the calls, results and reasoning in it",
    "other_roles": "messages of the roles developer and function are not rendered",
    "legacy_calls": "a legacy function_call is not read",
    "refusals": "a refusal is not read",
    "system_apart": "a system prompt outside the messages is not read",
}
"""Meaning of each name."""


class Reading(NamedTuple):
    """A conversation as it is read with some differences, and their names."""

    names: tuple[str, ...]
    talk: Conversation


def readings(log: Log, n_messages: int) -> list[Reading]:
    """Read a usable log with every combination of differences that show, smallest combinations first.

    The first is the reading of our rules, which has none. There is more than one way to read less than they
    do: recent versions of transformers know two more names of `reasoning_content`, for example. A reading
    that does not count `n_messages` messages is left out.
    """
    ours = _spoken(conversation(log))
    names = [name for name in READING if _spoken(_read(log, [name])) != ours]
    subsets = chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))
    found = (Reading(applied, _read(log, applied)) for applied in subsets)
    return [reading for reading in found if reading.talk.n_messages == n_messages]


def counted_messages(log: Log) -> set[int]:
    """Return how many messages a usable log has, with and without the answer of a streamed response."""
    return {len(logged_messages(log)), len(logged_messages(_no_stream(log)))}


def _spoken(talk: Conversation) -> tuple[tuple[Turn, ...], int]:
    return talk.turns, talk.n_messages


def _read(log: Log, names: Iterable[str]) -> Conversation:
    """Read a log with some differences; `names` are in the order of `READING`."""
    count = len(logged_messages(_no_stream(log) if "streamed_answer" in names else log))
    for name in names:
        log = _LOG_WITHOUT[name](log) if name in _LOG_WITHOUT else log
    talk = conversation(log)
    # The reference counts every logged message, rendered or not.
    return replace(
        _with_content_as_logged(talk, log) if "inline_reasoning" in names else talk, n_messages=count
    )


def _with_content_as_logged(talk: Conversation, log: Log) -> Conversation:
    logged = iter([one for one in logged_messages(log) if one["role"] == "assistant"])
    turns = (_as_logged(turn, next(logged)) if turn.role == "assistant" else turn for turn in talk.turns)
    return replace(talk, turns=tuple(turns))


def _as_logged(turn: Turn, message: dict[str, Any]) -> Turn:
    content, notes = read_content(message.get("content"), "assistant", Notes()), Notes()
    reasoning = clean(separate_reasoning(message, content.reasoning, notes))
    # A refusal is content too, but never has reasoning at its head.
    return replace(turn, reasoning=reasoning, content=clean(content.text) or turn.content)


def _each_message(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Log], Log]:
    """Return a function that applies `change` to each message of a log, the final turn included."""

    def changed(log: Log) -> Log:
        request = {**log["request"], "messages": [change(one) for one in log["request"]["messages"]]}
        final = [one for one in logged_messages(log)[len(request["messages"]) :] if "response" in log]
        if not final or log["response"].get("streaming") is True:
            return {**log, "request": request}
        return {**log, "request": request, "response": _with_final(log["response"], change(final[0]))}

    return changed


def _with_final(response: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    return {**response, "choices": [{**response["choices"][0], "message": message}]}


def _less(*keys: str) -> Callable[[Log], Log]:
    return _each_message(lambda one: {key: one[key] for key in one if key not in keys})


def _text_only(message: dict[str, Any]) -> dict[str, Any]:
    return message if isinstance(message.get("content"), str) else {**message, "content": ""}


def _known_roles(log: Log) -> Log:
    kept = [
        one for one in log["request"]["messages"] if one["role"] in _KNOWN_ROLES or one["role"] not in ROLES
    ]
    return {**log, "request": {**log["request"], "messages": kept}}


def _no_system(log: Log) -> Log:
    config = log["request"].get("model_config_dict")
    if not isinstance(config, dict):
        return log
    config = {key: value for key, value in config.items() if key != "system"}
    return {**log, "request": {**log["request"], "model_config_dict": config}}


def _no_stream(log: Log) -> Log:
    response = log.get("response")
    is_streamed = isinstance(response, dict) and response.get("streaming") is True
    return {**log, "response": None} if is_streamed else log


_LOG_WITHOUT: dict[str, Callable[[Log], Log]] = {
    "streamed_answer": _no_stream,
    "reasoning_fields": _less(*REASONING_FIELDS[1:]),
    "content_parts": _each_message(_text_only),
    "other_roles": _known_roles,
    "legacy_calls": _less("function_call"),
    "refusals": _less("refusal"),
    "system_apart": _no_system,
}
"""Each removes from a log what the reference does not read."""
