"""R5: a conversation as it is rendered, whatever client logged it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as it is rendered: `arguments` is JSON text, malformed where the teacher's was."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `reasoning` and `calls` are empty but in assistant turns."""

    role: Role
    content: str
    reasoning: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is rendered: the turns, and each tool schema as JSON text.

    `n_messages` counts the logged messages, the final turn included and unknown roles too.
    `flags` name what was settled on the way: unknown_role, bad_arguments, bad_tool_call, bad_content.
    """

    turns: tuple[Turn, ...]
    tools: tuple[str, ...]
    n_messages: int
    flags: frozenset[str]

    def assistant_only(self) -> Conversation:
        """The same less what others said: all that is to be held against the trainable spans."""
        turns = (turn if turn.role == "assistant" else replace(turn, content="") for turn in self.turns)
        return replace(self, turns=tuple(turns))

    @property
    def n_assistant_turns(self) -> int:
        """How many turns the student learns from."""
        return sum(turn.role == "assistant" for turn in self.turns)
