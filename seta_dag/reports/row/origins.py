"""Where the flags of a row arose, and which log the reasoning of each turn came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seta_dag.reports.row.inspection import Inspection
from seta_dag.reports.row.turn_spans import TurnSpan
from seta_dag.rollouts import json_reader
from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.dialects import logged_messages

CHOSEN, NONE = "the chosen log", "none"
_MEANINGS = {flag.value: flag.meaning for flag in Flag}
_PLACES = 8  # shown per flag; a long conversation can have hundreds
_NUMBERS = 12  # messages named per place


class ExplainedFlag(NamedTuple):
    """A flag of a row.

    Attributes:
        name: as in the ledger.
        meaning: one sentence without a full stop.
        places: where it arose, for example `messages 3, 5: conv_1.json`; empty if that is not recorded.
    """

    name: str
    meaning: str
    places: tuple[str, ...]


def explained_flags(inspection: Inspection) -> list[ExplainedFlag]:
    """Return the flags of the row, in the order of the ledger."""
    notes = inspection.line.notes
    return [
        ExplainedFlag(name, _MEANINGS[name], _places([note for note in notes if note.flag == name]))
        for name in inspection.line.flags
    ]


def _places(notes: Sequence[Note]) -> tuple[str, ...]:
    messages: dict[str, list[int]] = {}  # the same detail in many messages is one place
    for note in notes:
        numbers = messages.setdefault(note.detail, [])
        numbers += [] if note.message is None else [note.message]
    places = [place for detail, numbers in messages.items() if (place := _place(detail, numbers))]
    more = [f"and {len(places) - _PLACES} more"] if len(places) > _PLACES else []
    return (*places[:_PLACES], *more)


def _place(detail: str, numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_NUMBERS])) + (", …" if len(numbers) > _NUMBERS else "")
    message = f"message{'s' if len(numbers) > 1 else ''} {shown}" if numbers else ""
    return ": ".join(part for part in (message, detail) if part)


def reasoning_sources(inspection: Inspection) -> dict[int, str]:
    """Return what the reasoning of each assistant turn was read from, by number of the turn.

    That is the name of another log, `CHOSEN`, or `NONE` for a turn without reasoning. The nothink variant
    has no reasoning, and so the result is empty.
    """
    if inspection.variant == "nothink":
        return {}
    borrowed = {
        note.message: note.detail
        for note in inspection.line.notes
        if note.flag == Flag.REASONING_FROM_OTHER_LOG
    }
    messages = logged_messages(json_reader.parse(inspection.row["raw_conv_json"].encode()))
    # Every assistant message is rendered as one turn, so the two lists correspond.
    logged = [number for number, one in enumerate(messages, 1) if one["role"] == "assistant"]
    turns = [turn for turn in inspection.turns if turn.role == "assistant"]
    return {
        turn.number: borrowed.get(number, CHOSEN) if _reasons(inspection, turn) else NONE
        for turn, number in zip(turns, logged, strict=True)
    }


def _reasons(inspection: Inspection, turn: TurnSpan) -> bool:
    """Return whether a turn has reasoning; the block of the last one can be empty."""
    blocks = (part for part in turn.parts if part.kind == "reasoning")
    return any(inspection.text(part.first + 1, part.end - 1).strip() for part in blocks)
