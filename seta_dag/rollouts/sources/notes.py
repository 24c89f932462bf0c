"""What a reader of logs notices on the way: flags, each with the place where it arose."""

from __future__ import annotations

from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.reasons import Flag


class Notes:
    """Collects notes while one message after the other is read.

    Attributes:
        message: number of the message that is being read, from 1; None outside of messages.
    """

    def __init__(self) -> None:
        self.message: int | None = None
        self._notes: dict[Note, None] = {}  # a set that keeps its order

    def add(self, flag: Flag, detail: str = "") -> None:
        """Note a flag for the current message; the same note counts once."""
        self._notes[Note(flag, self.message, detail)] = None

    def done(self) -> tuple[Note, ...]:
        """Return all notes in the order in which they were made."""
        return tuple(self._notes)
