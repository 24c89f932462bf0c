"""Which of a trial's overlapping logs holds the conversation (rule R4, docs/rules.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.sources.log_files import log_files

_KEYS = (b'"request": {\n', b'"messages": [\n')
_ODD_ROLE = re.compile(rb'"role"(?!: ")')
_HEAD = 4096
"""Number of bytes in which the keys of a log are expected; if they come later, the log is parsed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The chosen log.

    Attributes:
        path: its path.
        data: its bytes.
        log: the JSON object in it.
        log_skipped: another log is unusable, or a directory of logs cannot be listed. Logs that look
            complete and are too short to be chosen are not parsed, so damage in them goes unnoticed.
    """

    path: Path
    data: bytes
    log: dict[str, Any]
    log_skipped: bool


Rank = tuple[float, bool, tuple[int, str, str]]
"""What rule R4 compares: assistant turns, has a final turn, and (size in bytes, name, path)."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A log that was read, without its bytes: a trial has as many logs as model calls."""

    path: Path
    size: int
    most_turns: float

    def rank(self, log: dict[str, Any]) -> Rank:
        return assistant_turns(log), final_turn(log) is not None, self._tie_break()

    def best_rank(self) -> Rank:
        """Return an upper bound of `rank`, known without parsing."""
        return self.most_turns, True, self._tie_break()

    def _tie_break(self) -> tuple[int, str, str]:
        return self.size, self.path.name, str(self.path)


def choose(trial: Path) -> Snapshot | None:
    """Return the log of a trial directory that holds the conversation, None if no log is usable.

    It is the log with the most assistant turns. Of several, it is one with a final turn, then the
    largest, then the one with the greatest name, then the one with the greatest path.

    Every log is read, but only those that can still win are parsed. Apart from the best one so far, at
    most one is in memory.
    """
    best: tuple[Rank, Snapshot] | None = None
    files, unlisted = log_files(str(trial))
    skipped = bool(unlisted)
    candidates, first_data = _candidates([Path(file.path) for file in files])
    # From the highest upper bound to the lowest: as soon as a bound is below the best rank, so are all
    # the rest. Usually the first log wins and is the only one that is parsed.
    for candidate in sorted(candidates, key=_Candidate.best_rank, reverse=True):
        if best is not None and candidate.best_rank() < best[0]:
            break
        data = first_data if first_data is not None else _read(candidate.path)
        first_data = None  # only the first candidate in this order was kept in memory
        log = _usable(data)
        if log is None:
            skipped = True
        elif best is None or candidate.rank(log) > best[0]:
            best = candidate.rank(log), Snapshot(candidate.path, data, log, skipped)
    return best and replace(best[1], log_skipped=skipped)


def _candidates(paths: Iterable[Path]) -> tuple[list[_Candidate], bytes | None]:
    """Read all logs; return them, and the bytes of the one with the highest bound, which is parsed first."""
    candidates: list[_Candidate] = []
    first: tuple[Rank, bytes] | None = None
    for path in paths:
        data = _read(path)
        candidates.append(_Candidate(path, len(data), _most_turns(data)))
        if first is None or candidates[-1].best_rank() > first[0]:
            first = candidates[-1].best_rank(), data
    return candidates, first and first[1]


def _read(path: Path) -> bytes:
    """Return the bytes of a file, empty if it cannot be read: no log is usable then, either way."""
    try:
        return json_reader.read_bytes(path)
    except json_reader.UnreadableError:
        return b""


def _most_turns(data: bytes) -> float:
    """Return an upper bound of the number of assistant turns, infinity if the log must be parsed.

    Counting bytes is only valid for a log as CAMEL writes it. Others are parsed: truncated or foreign
    ones, those with other spacing, and those that spell letters as escapes.
    """
    head = data[:_HEAD]
    complete = head.startswith(b'{\n    "') and data.endswith(b"\n}") and all(key in head for key in _KEYS)
    # "\u0061ssistant" is "assistant", too. All lowercase ASCII letters are \u0061 to \u007a.
    escaped = b"\\u00" in data and (b"\\u006" in data or b"\\u007" in data)
    if not complete or escaped or _ODD_ROLE.search(data):
        return float("inf")
    # Every assistant message contains these bytes. The final turn need not, because its role is optional.
    return data.count(b'"assistant"') + 1


def _usable(data: bytes) -> dict[str, Any] | None:
    """Return the log, None if it is not usable as rule R4 defines it."""
    try:
        log = json_reader.parse(data)
    except json_reader.UnreadableError:
        return None
    request = log.get("request") if isinstance(log, dict) else None
    messages = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(messages, list) or not messages:
        return None
    roles = [m.get("role") if isinstance(m, dict) else None for m in messages]
    return log if all(isinstance(role, str) for role in roles) else None


def final_turn(log: dict[str, Any]) -> dict[str, Any] | None:
    """Return `response.choices[0].message` of a log, None if there is no such object."""
    response = log.get("response")
    choices = response.get("choices") if isinstance(response, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return message if isinstance(message, dict) else None


def assistant_turns(log: dict[str, Any]) -> int:
    """Return the number of assistant turns of a usable log, including the final turn."""
    roles: list[str] = [message["role"] for message in log["request"]["messages"]]
    return roles.count("assistant") + (final_turn(log) is not None)
