"""A conversation as it is rendered, whatever client logged it (rule R5, docs/rules.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as it is rendered.

    Attributes:
        name: name of the tool.
        arguments: JSON text, malformed where the teacher's was.
    """

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message.

    Attributes:
        role: the role it is rendered with.
        content: text, possibly empty.
        reasoning: the teacher's reasoning; empty except in assistant turns.
        calls: tool calls; empty except in assistant turns.
    """

    role: Role
    content: str
    reasoning: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is rendered.

    Attributes:
        turns: all turns in order.
        tools: each tool schema as JSON text.
        n_messages: number of logged messages, including the final turn and those that are not rendered.
        flags: what was unusual: unknown_role, bad_content, bad_tool_call, bad_arguments.
    """

    turns: tuple[Turn, ...]
    tools: tuple[str, ...]
    n_messages: int
    flags: frozenset[str]

    def assistant_only(self) -> Conversation:
        """Return a copy without the content of other turns; enough to check the trainable spans."""
        turns = (turn if turn.role == "assistant" else Turn(turn.role, "") for turn in self.turns)
        return replace(self, turns=tuple(turns))

    @property
    def n_assistant_turns(self) -> int:
        """Number of turns that the student is trained on."""
        return sum(turn.role == "assistant" for turn in self.turns)
