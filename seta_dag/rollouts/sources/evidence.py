"""What the other logs of a trial say about the chosen one (rule R4).

They fill in reasoning that the chosen log does not hold, and they show whether the history was rewritten.
Most of them hold the beginning of the chosen log's messages byte for byte, so bytes are compared first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.borrowing import Offer, borrow
from seta_dag.rollouts.sources.cumulative import Cumulative, Shared
from seta_dag.rollouts.sources.dialects import Borrowed, logged_messages
from seta_dag.rollouts.sources.final_turn import final_turn
from seta_dag.rollouts.sources.held import holds_reasoning
from seta_dag.rollouts.sources.log_files import read_log, usable
from seta_dag.rollouts.sources.sameness import Wording, identical, same, wording


class Evidence(NamedTuple):
    """What the other logs add.

    Attributes:
        borrowed: reasoning for turns of the chosen log, by index of the message from 0.
        notes: flags of the trial as a whole.
        skipped: other logs that are not usable.
        reasoning: whether the chosen log or another usable one holds reasoning.
    """

    borrowed: Mapping[int, Borrowed]
    notes: tuple[Note, ...]
    skipped: tuple[Path, ...]
    reasoning: bool


class _Other(NamedTuple):
    """Another usable log: its own messages only where they are not known to be the chosen log's first."""

    path: Path
    n_messages: int
    messages: list[dict[str, Any]] | None
    final: dict[str, Any] | None

    @property
    def tail(self) -> list[dict[str, Any]]:
        """The final turn as a message, nothing if there is none."""
        return [] if self.final is None else [{**self.final, "role": "assistant"}]


def gather(
    path: Path,
    log: dict[str, Any],
    cumulative: Cumulative,
    others: Sequence[Path],
    known: Mapping[Path, Shared],
) -> Evidence:
    """Compare the chosen log with the others, one at a time.

    `cumulative` holds the messages of the chosen log. `known` are the logs known to be beginnings of it;
    they are not read again.
    """
    chosen, folder = _Chosen(path, logged_messages(log)), path.parent
    offers: list[Offer] = []
    notes: list[Note] = []
    skipped: list[Path] = []
    reasoning = any(map(holds_reasoning, chosen.messages))
    for other in others:
        shared = known.get(other)
        read = (
            _read(other, cumulative)
            if shared is None
            else _Other(other, shared.n_messages, None, shared.final)
        )
        if read is None:
            skipped.append(other)
            continue
        reasoning = reasoning or any(map(holds_reasoning, [*(read.messages or ()), *read.tail]))
        notes += chosen.compare(read)
        if read.final is not None and other.parent == folder:
            offers.append(Offer(other, read.n_messages, read.final))
    return Evidence(borrow(chosen.messages, offers), tuple(notes), tuple(skipped), reasoning)


def _read(path: Path, cumulative: Cumulative) -> _Other | None:
    data = read_log(path)
    shared = cumulative.shared(data)
    if shared is not None:
        return _Other(path, shared.n_messages, None, shared.final)
    log = usable(data)
    if log is None:
        return None
    messages = log["request"]["messages"]
    return _Other(path, len(messages), messages, final_turn(log))


class _Chosen:
    """The chosen conversation, its messages taken apart when they are first compared."""

    def __init__(self, path: Path, messages: list[dict[str, Any]]) -> None:
        self.path, self.messages = path, messages
        self._wordings: dict[int, Wording] = {}

    def compare(self, other: _Other) -> list[Note]:
        """Return a note if the other conversation does not lead up to this one."""
        if self._is_beginning(other):
            return []
        name = clean(other.path.name)
        if other.path.parent != self.path.parent and self._begins_elsewhere(other):
            return [Note(Flag.OTHER_CONVERSATION, None, name)]
        return [Note(Flag.HISTORY_REWRITTEN, None, name)]

    def _is_beginning(self, other: _Other) -> bool:
        if other.messages is None:
            return self._continues(other.n_messages, other.tail)
        return self._continues(0, [*other.messages, *other.tail])

    def _continues(self, start: int, messages: Sequence[dict[str, Any]]) -> bool:
        """Return whether `messages` are this conversation's from index `start` on.

        Beyond its end, messages of others than the assistant are allowed: a call that got no answer.
        """
        for index, message in enumerate(messages, start):
            if index >= len(self.messages):
                if message["role"] == "assistant":
                    return False
            elif not self._has(index, message):
                return False
        return True

    def _has(self, index: int, message: dict[str, Any]) -> bool:
        if identical(self.messages[index], message):
            return True
        if index not in self._wordings:
            self._wordings[index] = wording(self.messages[index])
        return same(self._wordings[index], wording(message))

    def _begins_elsewhere(self, other: _Other) -> bool:
        """Return whether the other conversation has another first user message."""
        first = _first_user(other.messages or ())  # not known to be this conversation's own messages
        return first is not None and first != _first_user(self.messages)


def _first_user(messages: Sequence[dict[str, Any]]) -> str | None:
    return next((wording(one).text for one in messages if one["role"] == "user"), None)
