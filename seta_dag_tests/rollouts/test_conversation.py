"""A conversation counts its assistant turns and can be reduced to them (R5)."""

from __future__ import annotations

from seta_dag.rollouts.conversation import Call, Conversation, Note, Turn
from seta_dag.rollouts.reasons import Flag

CONVERSATION = Conversation(
    turns=(
        Turn("system", "a"),
        Turn("user", "b"),
        Turn("assistant", "c", "why", (Call("f", "{}"),)),
        Turn("tool", "d"),
        Turn("assistant", "e"),
    ),
    tools=("{}",),
    n_messages=6,
    notes=(
        Note(Flag.UNKNOWN_ROLE, 1, "critic"),
        Note(Flag.UNKNOWN_ROLE, 2, "critic"),
        Note(Flag.EMPTY_TURN, 6),
    ),
)


def test_assistant_turns_are_counted() -> None:
    assert CONVERSATION.n_assistant_turns == 2


def test_turns_with_reasoning_are_counted() -> None:
    assert CONVERSATION.n_reasoning_turns == 1


def test_flags_are_those_of_the_notes() -> None:
    assert CONVERSATION.flags == {"unknown_role", "empty_turn"}


def test_assistant_only_removes_the_content_of_other_turns_and_nothing_else() -> None:
    reduced = CONVERSATION.assistant_only()
    assert reduced.turns[2::2] == (CONVERSATION.turns[2], CONVERSATION.turns[4])
    assert reduced.turns[:2] + reduced.turns[3:4] == (Turn("system", ""), Turn("user", ""), Turn("tool", ""))
    assert (reduced.tools, reduced.n_messages) == (CONVERSATION.tools, CONVERSATION.n_messages)
    assert reduced.notes == CONVERSATION.notes
