"""Whether calls and results of a conversation belong together (rule R5)."""

from __future__ import annotations

from collections.abc import Sequence

from seta_dag.rollouts.conversation import Turn
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.notes import Notes


def check_soundness(turns: Sequence[tuple[int | None, Turn]], notes: Notes) -> None:
    """Flag empty turns, unanswered calls and stray results; `turns` are (message number, turn)."""
    open_calls = 0  # calls of the last assistant turn that have no result yet
    for place, (number, turn) in enumerate(turns):
        notes.message = number
        if turn.role == "tool":
            open_calls -= 1
            if open_calls < 0:
                notes.add(Flag.STRAY_RESULT)
            open_calls = max(open_calls, 0)
            continue
        if open_calls:  # another turn follows, so the last assistant turn is not the last message
            notes.message = _last_assistant(turns, place)
            notes.add(Flag.UNANSWERED_CALL)
            notes.message = number
        open_calls = len(turn.calls) if turn.role == "assistant" else 0
        if turn.role == "assistant" and not turn.content.strip() and not turn.calls:
            notes.add(Flag.EMPTY_TURN)
    if open_calls and turns and turns[-1][1].role == "tool":
        notes.message = _last_assistant(turns, len(turns))
        notes.add(Flag.UNANSWERED_CALL)
    notes.message = None


def _last_assistant(turns: Sequence[tuple[int | None, Turn]], before: int) -> int | None:
    return next((number for number, turn in reversed(turns[:before]) if turn.role == "assistant"), None)
