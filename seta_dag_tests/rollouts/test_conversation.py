"""A conversation counts its assistant turns and can be reduced to them (R5)."""

from __future__ import annotations

from seta_dag.rollouts.conversation import Call, Conversation, Turn

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
    flags=frozenset({"unknown_role"}),
)


def test_assistant_turns_are_counted() -> None:
    assert CONVERSATION.n_assistant_turns == 2


def test_assistant_only_removes_the_content_of_other_turns_and_nothing_else() -> None:
    reduced = CONVERSATION.assistant_only()
    assert reduced.turns[2::2] == (CONVERSATION.turns[2], CONVERSATION.turns[4])
    assert reduced.turns[:2] + reduced.turns[3:4] == (Turn("system", ""), Turn("user", ""), Turn("tool", ""))
    assert (reduced.tools, reduced.n_messages) == (CONVERSATION.tools, CONVERSATION.n_messages)
    assert reduced.flags == CONVERSATION.flags
