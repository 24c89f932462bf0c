"""Whether a log begins with the messages of another one, without parsing them.

CAMEL writes logs indented by 4, so the end of `request.messages` is a line of its own with 8 spaces and a
bracket. No string can hold such a line: line breaks are escaped in JSON.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, NamedTuple

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.sources.final_turn import final_turn

_OPEN = b'        "messages": ['
_END = b"\n        ]"
_MESSAGE_END = b"\n            }"
_REQUEST_END = b"\n    }"
_NO_SETTINGS = _END + _REQUEST_END
_HEAD = 4096  # the array begins in the first bytes of a log, else it is parsed


class Shared(NamedTuple):
    """A log whose messages are the first ones of another.

    Attributes:
        n_messages: how many they are.
        final: its final turn, None if it has none.
    """

    n_messages: int
    final: dict[str, Any] | None


class Cumulative:
    """The messages of the chosen log as bytes, with the offset at which each of them ends."""

    def __init__(self, data: bytes, log: dict[str, Any]) -> None:
        self._data = data
        start, end = _array(data)
        self._start, self._ends = start, _ends(data, start, end) if start >= 0 else []
        if len(self._ends) != len(log["request"]["messages"]):  # not as CAMEL writes: nothing can be shared
            self._start, self._ends = -1, []
        self._settings = _settings(data, end, log["request"]) if self._start >= 0 else b""

    @property
    def is_comparable(self) -> bool:
        """Whether the chosen log is as CAMEL writes logs; nothing is shared with any other."""
        return self._start >= 0

    def shared(self, other: bytes) -> Shared | None:
        """Return what `other` shares if its messages are the first of these, else None.

        The rest of it is parsed, so a log that is cut off or foreign is never taken for shared.
        """
        start, end = _array(other)
        if self._start < 0 or start < 0 or end <= start:
            return None
        length = end - start
        place = bisect_left(self._ends, length)
        whole_messages = place < len(self._ends) and self._ends[place] == length
        if not whole_messages or not self._data.startswith(other[start:end], self._start):
            return None
        rest = self._rest(other, start, end)
        request = rest.get("request") if isinstance(rest, dict) else None
        is_log = isinstance(request, dict) and request.get("messages") == []
        return Shared(place + 1, final_turn(rest)) if is_log else None

    def _rest(self, other: bytes, start: int, end: int) -> Any:
        """Return another log, parsed without its messages and the settings it shares; None if unreadable."""
        same_settings = self._settings and other.startswith(self._settings, end)
        after = _NO_SETTINGS + other[end + len(self._settings) :] if same_settings else other[end:]
        try:
            return json_reader.parse(other[:start] + after)
        except json_reader.UnreadableError:
            return None


def _settings(data: bytes, end: int, request: dict[str, Any]) -> bytes:
    """Return the bytes from the end of the messages to that of the request; nothing if unknown.

    These are mostly tool schemas, the same in every log and longer than all else that is not a message.
    """
    closing = data.find(_REQUEST_END, end)
    settings = data[end : closing + len(_REQUEST_END)] if closing >= 0 else b""
    try:
        found = json_reader.parse(b'{"messages": [' + settings)
    except json_reader.UnreadableError:
        return b""
    return settings if found == {**request, "messages": []} else b""


def _array(data: bytes) -> tuple[int, int]:
    """Return the half-open byte range within the brackets of `request.messages`, (-1, -1) if unknown."""
    opened = data.find(_OPEN, 0, _HEAD)
    start = opened + len(_OPEN)
    end = data.find(_END, start) if opened >= 0 else -1
    return (start, end) if end >= 0 else (-1, -1)


def _ends(data: bytes, start: int, end: int) -> list[int]:
    """Return where each message ends, as offsets from `start`."""
    ends, at = [], data.find(_MESSAGE_END, start, end)
    while at >= 0:
        ends.append(at + len(_MESSAGE_END) - start)
        at = data.find(_MESSAGE_END, at + 1, end)
    return ends
