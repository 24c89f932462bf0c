"""The Qwen3 chat template as Python code (rules R6 and R7, docs/rules.md).

The text is that of the official template, in both revisions, except that every assistant turn keeps its
reasoning. The template drops it if a user message follows later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.tokens.renderers.base import PieceBuilder, Rendered
from seta_dag.tokens.renderers.markup import (
    END_THINK,
    END_TOOL_CALL,
    END_TOOL_RESPONSE,
    IM_END,
    IM_START,
    THINK,
    TOOL_CALL,
    TOOL_RESPONSE,
)
from seta_dag.tokens.variants import Variant

_TOOLS_HEAD = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
_TOOLS_FOOT: tuple[str, ...] = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments within ",
    TOOL_CALL, END_TOOL_CALL, " XML tags:\n", TOOL_CALL,
    '\n{"name": <function-name>, "arguments": <args-json-object>}\n', END_TOOL_CALL,
)  # fmt: skip


def render(conversation: Conversation, variant: Variant) -> Rendered:
    """Render a conversation for the thinking (rule R6) or nothink (rule R7) variant."""
    turns = conversation.turns if variant == "thinking" else without_thinking(conversation.turns)
    pieces = PieceBuilder()
    _render_head(pieces, turns, conversation.tools)
    for index, turn in enumerate(turns):
        if turn.role == "assistant":
            first = len(pieces)
            _render_assistant(pieces, turn, index == len(turns) - 1, variant)
            pieces.spans.append((first, len(pieces)))
        elif turn.role == "tool":
            _render_tool(pieces, turns, index)
        elif turn.role == "user" or index > 0:  # a leading system message is in the head already
            pieces.add(IM_START, f"{turn.role}\n", turn.content, IM_END, "\n")
    return pieces.build()


def without_thinking(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Remove reasoning, append `/no_think` to the first system message (rule R7).

    A turn that loses its reasoning loses the newlines before its content too. Without a system message, one
    that reads `/no_think` is inserted first.
    """
    plain = [
        replace(turn, reasoning="", content=turn.content.lstrip("\n")) if turn.reasoning else turn
        for turn in turns
    ]
    first = next((i for i, turn in enumerate(plain) if turn.role == "system"), None)
    if first is None:
        return (Turn("system", "/no_think"), *plain)
    if "/no_think" not in plain[first].content:
        plain[first] = Turn("system", plain[first].content.rstrip() + "\n/no_think")
    return tuple(plain)


def _render_head(pieces: PieceBuilder, turns: Sequence[Turn], tools: Iterable[str]) -> None:
    """Add the system turn: a leading system message, the tool schemas, or both."""
    system = turns[0].content if turns and turns[0].role == "system" else None
    schemas = "".join(f"\n{tool}" for tool in tools)
    if schemas:
        pieces.add(IM_START, "system\n", "" if system is None else f"{system}\n\n")
        pieces.add(_TOOLS_HEAD, schemas, *_TOOLS_FOOT, IM_END, "\n")
    elif system is not None:
        pieces.add(IM_START, "system\n", system, IM_END, "\n")


def _render_assistant(pieces: PieceBuilder, turn: Turn, last: bool, variant: Variant) -> None:
    pieces.add(IM_START, "assistant\n")
    if turn.reasoning or (last and variant == "thinking"):
        pieces.add(THINK, "\n" + turn.reasoning.strip("\n") + "\n", END_THINK, "\n\n")
    # The template strips leading newlines only where it writes a think block, which may be empty.
    # For nothink the block is left out, but the last turn is stripped all the same.
    pieces.add(turn.content.lstrip("\n") if turn.reasoning or last else turn.content)
    for number, call in enumerate(turn.calls):
        # As in the template, the content as logged decides, even if stripping left nothing of it.
        pieces.add("\n" if number or turn.content else "", TOOL_CALL)
        pieces.add(f'\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n', END_TOOL_CALL)
    pieces.add(IM_END, "\n")


def _render_tool(pieces: PieceBuilder, turns: Sequence[Turn], index: int) -> None:
    """Add a tool message; consecutive ones are in the same user turn."""
    if index == 0 or turns[index - 1].role != "tool":
        pieces.add(IM_START, "user")
    pieces.add("\n", TOOL_RESPONSE, "\n", turns[index].content, "\n", END_TOOL_RESPONSE)
    if index == len(turns) - 1 or turns[index + 1].role != "tool":
        pieces.add(IM_END, "\n")
