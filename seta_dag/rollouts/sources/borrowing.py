"""Reasoning that only the log of a turn's own call holds (rule R4).

CAMEL's plain models do not keep reasoning in memory, so the last log has none of it before its own final
turn. The response of each earlier log still does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.sources.dialects import Borrowed
from seta_dag.rollouts.sources.fields import REASONING_FIELDS
from seta_dag.rollouts.sources.notes import Notes
from seta_dag.rollouts.sources.parts import read_content
from seta_dag.rollouts.sources.reasoning import separate_reasoning
from seta_dag.rollouts.sources.sameness import Wording, wording


class Offer(NamedTuple):
    """The final turn of another log, and how many messages it answered."""

    path: Path
    n_messages: int
    final: dict[str, Any]


class _Reply(NamedTuple):
    """An offer taken apart: what it says, and its reasoning next to the content."""

    offer: Offer
    wording: Wording
    separate: str

    def reasoning_for(self, turn: Wording) -> str | None:
        """Return the reasoning that this reply has for a turn; None if it does not say the same."""
        if self.wording.calls != turn.calls:
            return None
        if self.wording.text == turn.text:
            return self.separate
        return self.wording.inline if self.wording.answer == turn.text else None


def borrow(messages: Sequence[dict[str, Any]], offers: Sequence[Offer]) -> Mapping[int, Borrowed]:
    """Return reasoning for the turns that have none next to their content, by index of the message.

    The log of a turn's own call has exactly the messages before it. It gives to no other turn, even if its
    reasoning is blank. Without such a log, the others count if they agree.
    """
    turns = {index: one for index, one in enumerate(messages) if one["role"] == "assistant"}
    lacking = [index for index, message in turns.items() if not _has_reasoning(message)]
    if not lacking or not offers:
        return {}
    replies = [_reply(offer) for offer in offers]
    wordings = {index: wording(message) for index, message in turns.items()}
    own = {
        index: reply for index, turn in wordings.items() if (reply := _own(index, turn, replies)) is not None
    }
    claimed = {id(reply.offer) for reply in own.values()}
    rest = [reply for reply in replies if id(reply.offer) not in claimed]
    found = {index: _found(wordings[index], [own[index]] if index in own else rest) for index in lacking}
    return {index: borrowed for index, borrowed in found.items() if borrowed is not None}


def _reply(offer: Offer) -> _Reply:
    message = {**offer.final, "role": "assistant"}
    return _Reply(offer, wording(message), _separate(message))


def _has_reasoning(message: dict[str, Any]) -> bool:
    first = message.get(REASONING_FIELDS[0])  # looked at first, because nearly all reasoning is there
    return bool((isinstance(first, str) and first.strip()) or _separate(message).strip())


def _separate(message: dict[str, Any]) -> str:
    notes = Notes()
    parts = read_content(message.get("content"), "assistant", notes).reasoning
    return separate_reasoning(message, parts, notes)


def _own(index: int, turn: Wording, replies: Sequence[_Reply]) -> _Reply | None:
    """Return the reply of the turn's own call; of a call that was retried, the first one with reasoning."""
    own = [
        reply
        for reply in replies
        if reply.offer.n_messages == index and reply.reasoning_for(turn) is not None
    ]
    return next(
        (reply for reply in own if (reply.reasoning_for(turn) or "").strip()), own[0] if own else None
    )


def _found(turn: Wording, replies: Sequence[_Reply]) -> Borrowed | None:
    offered = [
        (reasoning, reply) for reply in replies if (reasoning := reply.reasoning_for(turn)) is not None
    ]
    if len({reasoning.strip() for reasoning, _ in offered}) != 1 or not offered[0][0].strip():
        return None
    reasoning, reply = offered[0]
    return Borrowed(reasoning, clean(reply.offer.path.name))
