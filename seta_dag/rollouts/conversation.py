"""A conversation as it is rendered, whatever client logged it (rule R5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from seta_dag.rollouts.reasons import Flag

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
        reasoning_from: name of the log that the reasoning was taken from, None if it is the chosen one.
    """

    role: Role
    content: str
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    reasoning_from: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A flag, and where it arose.

    Attributes:
        flag: what is unusual.
        message: number of the logged message, from 1; None if it is the trial as a whole.
        detail: what it was, in a few words; possibly empty.
    """

    flag: Flag
    message: int | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is rendered.

    Attributes:
        turns: all turns in order.
        tools: each tool schema as JSON text.
        n_messages: number of logged messages, including the final turn and those that are not rendered.
        notes: what was unusual, in order.
    """

    turns: tuple[Turn, ...]
    tools: tuple[str, ...]
    n_messages: int
    notes: tuple[Note, ...] = ()

    @property
    def flags(self) -> frozenset[Flag]:
        """The flags of all notes."""
        return frozenset(note.flag for note in self.notes)

    def assistant_only(self) -> Conversation:
        """Return a copy without the content of other turns; enough to check the trainable spans."""
        turns = (turn if turn.role == "assistant" else Turn(turn.role, "") for turn in self.turns)
        return replace(self, turns=tuple(turns))

    @property
    def n_assistant_turns(self) -> int:
        """Number of turns that the student learns from."""
        return sum(turn.role == "assistant" for turn in self.turns)

    @property
    def n_reasoning_turns(self) -> int:
        """Number of assistant turns that have reasoning."""
        return sum(turn.role == "assistant" and bool(turn.reasoning) for turn in self.turns)
