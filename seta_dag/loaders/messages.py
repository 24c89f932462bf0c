"""Conversations as the rows have them, in OpenAI's form.

The arguments of a call and the schemas of tools are JSON text: as objects they would have other keys in each
row, which neither Parquet nor `datasets` can hold. Chat templates and trainers take the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from seta_dag.errors import DatasetError
from seta_dag.rollouts import json_reader
from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.tokens.renderers.borrowed import with_reasoning_of
from seta_dag.tokens.renderers.qwen3 import render, without_thinking
from seta_dag.tokens.variants import Variant

_CALL = pa.struct(
    {"id": pa.string(), "type": pa.string(),
     "function": pa.struct({"name": pa.string(), "arguments": pa.string()})}
)  # fmt: skip
_MESSAGE = pa.struct(
    {"role": pa.string(), "content": pa.string(), "reasoning_content": pa.string(),
     "tool_calls": pa.list_(_CALL), "tool_call_id": pa.string()}
)  # fmt: skip
MESSAGES: dict[str, pa.DataType] = {"messages": pa.list_(_MESSAGE), "tools": pa.string()}
"""Columns of the format. `tools` is a JSON list, or null."""


def messages_of(log: str, text: str) -> dict[str, Any]:
    """Return the messages and tools of a row.

    Args:
        log: its `raw_conv_json`. Reasoning that another log of the trial lent it is taken from the text.
        text: its `chat_template_str`.

    Raises:
        DatasetError: the text is not that of the log.
    """
    variant: Variant = "nothink" if "/no_think" in text.partition("<|im_end|>")[0] else "thinking"
    try:
        talk = _as_rendered(conversation(json_reader.parse(log.encode())), text, variant)
    except (json_reader.UnreadableError, LookupError, TypeError, AttributeError) as error:
        raise DatasetError("raw_conv_json of a row is not a conversation log") from error
    turns = talk.turns if variant == "thinking" else without_thinking(talk.turns)
    return {"messages": _messages(turns), "tools": f"[{', '.join(talk.tools)}]" if talk.tools else None}


def _as_rendered(talk: Conversation, text: str, variant: Variant) -> Conversation:
    rendered = render(talk, variant)
    if rendered.text == text:
        return talk
    filled = with_reasoning_of(text, talk, rendered)
    if filled is None or render(filled, variant).text != text:
        raise DatasetError("chat_template_str of a row is not that of its log; build the dataset again")
    return filled


def _messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    waiting: list[str] = []  # ids of calls that have no result yet
    for number, turn in enumerate(turns):
        message: dict[str, Any] = {"role": turn.role, "content": turn.content}
        if turn.reasoning:
            message["reasoning_content"] = turn.reasoning
        if turn.calls:
            waiting = [f"call_{number}_{place}" for place in range(len(turn.calls))]
            message["tool_calls"] = [
                {"id": name, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for name, call in zip(waiting, turn.calls, strict=True)
            ]
        if turn.role == "tool" and waiting:
            message["tool_call_id"] = waiting.pop(0)
        found.append(message)
    return found
