"""R6 and R7: the Qwen3 chat template, written directly, with markup and turns kept apart.

Equal to the official template (both revisions) on R5's conversations, but for one change: every
assistant turn keeps its reasoning, also before a later user message.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.tokens.renderers.markup import (
    END_THINK,
    END_TOOL_CALL,
    END_TOOL_RESPONSE,
    IM_END,
    IM_START,
    THINK,
    TOOL_CALL,
    TOOL_RESPONSE,
    Markup,
    spells_markup,
)

Variant = Literal["thinking", "nothink"]
VARIANTS: tuple[Variant, ...] = ("thinking", "nothink")

_TOOLS_HEAD = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
_TOOLS_FOOT: tuple[str, ...] = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments within ",
    TOOL_CALL, END_TOOL_CALL, " XML tags:\n", TOOL_CALL,
    '\n{"name": <function-name>, "arguments": <args-json-object>}\n', END_TOOL_CALL,
)  # fmt: skip


@dataclass(frozen=True)
class Rendered:
    """A rendered conversation as UTF-8, held once, and the pieces that it is made of.

    Piece i ends at byte `ends[i]`; `marks[i]` is its markup, a special token, None for ordinary text.
    `spans` are the assistant turns, one each and in order, as (first, end) indexes of pieces.
    No two ordinary pieces stand side by side, so each is a whole gap between special tokens.
    """

    utf8: bytes
    marks: tuple[Markup | None, ...]
    ends: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """`chat_template_str`."""
        return self.utf8.decode()

    @property
    def gaps(self) -> list[bytes]:
        """The ordinary pieces."""
        places = zip(self.marks, (0, *self.ends), self.ends, strict=False)
        return [self.utf8[start:end] for mark, start, end in places if mark is None]

    @property
    def pieces(self) -> tuple[str, ...]:
        """All pieces: `Markup`, or a plain `str` that is ordinary text."""
        texts = iter(self.gaps)
        return tuple(next(texts).decode() if mark is None else mark for mark in self.marks)

    @cached_property
    def has_literal_markup(self) -> bool:
        """Whether ordinary text spells an added token somewhere."""
        return spells_markup(self.gaps)


class _Pieces:
    """Collects pieces; ordinary text that follows ordinary text is of one piece with it."""

    def __init__(self) -> None:
        self._utf8 = io.BytesIO()
        self._marks: list[Markup | None] = []
        self._ends: list[int] = []
        self.spans: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, *pieces: str) -> None:
        for piece in pieces:
            mark = piece if type(piece) is Markup else None
            if not piece:
                continue
            self._utf8.write(piece.encode())
            if mark is None and self._marks and self._marks[-1] is None:
                self._ends[-1] = self._utf8.tell()
            else:
                self._marks.append(mark)
                self._ends.append(self._utf8.tell())

    def done(self) -> Rendered:
        return Rendered(self._utf8.getvalue(), tuple(self._marks), tuple(self._ends), tuple(self.spans))


def render(conversation: Conversation, variant: Variant) -> Rendered:
    """The conversation as the student is to see it, in the thinking (R6) or the nothink (R7) variant."""
    turns = conversation.turns if variant == "thinking" else without_thinking(conversation.turns)
    pieces = _Pieces()
    _render_head(pieces, turns, conversation.tools)
    for index, turn in enumerate(turns):
        if turn.role == "assistant":
            first = len(pieces)
            _render_assistant(pieces, turn, index == len(turns) - 1, variant)
            pieces.spans.append((first, len(pieces)))
        elif turn.role == "tool":
            _render_tool(pieces, turns, index)
        elif turn.role == "user" or index > 0:
            pieces.add(IM_START, f"{turn.role}\n", turn.content, IM_END, "\n")
    return pieces.done()


def without_thinking(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """R7's messages: no reasoning, and `/no_think` in the first system message, one put first if none."""
    plain = [replace(turn, reasoning="") if turn.reasoning else turn for turn in turns]
    first = next((i for i, turn in enumerate(plain) if turn.role == "system"), None)
    if first is None:
        return (Turn("system", "/no_think"), *plain)
    if "/no_think" not in plain[first].content:
        plain[first] = Turn("system", plain[first].content.rstrip() + "\n/no_think")
    return tuple(plain)


def _render_head(pieces: _Pieces, turns: Sequence[Turn], tools: Iterable[str]) -> None:
    system = turns[0].content if turns and turns[0].role == "system" else None
    schemas = "".join(f"\n{tool}" for tool in tools)
    if schemas:
        pieces.add(IM_START, "system\n", "" if system is None else f"{system}\n\n")
        pieces.add(_TOOLS_HEAD, schemas, *_TOOLS_FOOT, IM_END, "\n")
    elif system is not None:
        pieces.add(IM_START, "system\n", system, IM_END, "\n")


def _render_assistant(pieces: _Pieces, turn: Turn, last: bool, variant: Variant) -> None:
    pieces.add(IM_START, "assistant\n")
    if turn.reasoning or (last and variant == "thinking"):
        pieces.add(THINK, "\n" + turn.reasoning.strip("\n") + "\n", END_THINK, "\n\n")
    pieces.add(turn.content.lstrip("\n") if turn.reasoning or last else turn.content)
    for number, call in enumerate(turn.calls):
        pieces.add("\n" if number or turn.content else "", TOOL_CALL)
        pieces.add(f'\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n', END_TOOL_CALL)
    pieces.add(IM_END, "\n")


def _render_tool(pieces: _Pieces, turns: Sequence[Turn], index: int) -> None:
    """Consecutive tool messages share one user turn."""
    if index == 0 or turns[index - 1].role != "tool":
        pieces.add(IM_START, "user")
    pieces.add("\n", TOOL_RESPONSE, "\n", turns[index].content, "\n", END_TOOL_RESPONSE)
    if index == len(turns) - 1 or turns[index + 1].role != "tool":
        pieces.add(IM_END, "\n")
