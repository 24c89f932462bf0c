"""R4: which of a trial's cumulative logs holds the conversation."""

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
"""A log's keys and the first of its messages stand in its first bytes; what is farther on is parsed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The chosen log: its path, its bytes and what they parse to.

    `log_skipped` is set where another `conv_*.json` is cut or foreign, or a folder of logs can't be read.
    One that is as CAMEL writes logs and too short to be chosen is taken for a log unread.
    """

    path: Path
    data: bytes
    log: dict[str, Any]
    log_skipped: bool


Rank = tuple[float, bool, tuple[int, str, str]]
"""What R4 compares: assistant turns, a final turn or none, then bytes, name and path."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A log that was read but is not held: of a cumulative log there are as many as the trial has calls."""

    path: Path
    size: int
    most_turns: float

    def rank(self, log: dict[str, Any]) -> Rank:
        return assistant_turns(log), final_turn(log) is not None, self._preference()

    def best_rank(self) -> Rank:
        """What it can't surpass, known without parsing."""
        return self.most_turns, True, self._preference()

    def _preference(self) -> tuple[int, str, str]:
        return self.size, self.path.name, str(self.path)


def choose(trial: Path) -> Snapshot | None:
    """The log with the most assistant turns; among equals one with a final turn, then the largest,
    then the greatest name, then the greatest path. None where no log is usable.

    Every log is read, but only what can still win is parsed, and besides the best only the likeliest is
    held in memory.
    """
    best: tuple[Rank, Snapshot] | None = None
    files, closed = log_files(str(trial))
    skipped = bool(closed)
    candidates, held = _candidates([Path(file.path) for file in files])
    for candidate in sorted(candidates, key=_Candidate.best_rank, reverse=True):
        if best is not None and candidate.best_rank() < best[0]:
            break
        data = held if held is not None else _read(candidate.path)
        held = None
        log = _usable(data)
        if log is None:
            skipped = True
        elif best is None or candidate.rank(log) > best[0]:
            best = candidate.rank(log), Snapshot(candidate.path, data, log, skipped)
    return best and replace(best[1], log_skipped=skipped)


def _candidates(paths: Iterable[Path]) -> tuple[list[_Candidate], bytes | None]:
    """Each log, and the bytes of the one that is parsed first."""
    found: list[_Candidate] = []
    first: tuple[Rank, bytes] | None = None
    for path in paths:
        data = _read(path)
        found.append(_Candidate(path, len(data), _most_turns(data)))
        if first is None or found[-1].best_rank() > first[0]:
            first = found[-1].best_rank(), data
    return found, first and first[1]


def _read(path: Path) -> bytes:
    """The file's bytes, none where it can't be read."""
    try:
        return json_reader.read_bytes(path)
    except json_reader.UnreadableError:
        return b""


def _most_turns(data: bytes) -> float:
    """An upper bound of the log's assistant turns, without parsing; none where it must be parsed.

    That is where it is not as CAMEL writes logs: cut, foreign, spaced otherwise, letters as escapes.
    Each assistant turn says so in these eleven bytes, but the final one, which need not.
    """
    head = data[:_HEAD]
    as_written = head.startswith(b'{\n    "') and data.endswith(b"\n}") and all(key in head for key in _KEYS)
    escaped = b"\\u00" in data and (b"\\u006" in data or b"\\u007" in data)
    if not as_written or escaped or _ODD_ROLE.search(data):
        return float("inf")
    return data.count(b'"assistant"') + 1


def _usable(data: bytes) -> dict[str, Any] | None:
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
    """`response.choices[0].message` where that is an object; a streamed response or a string has none."""
    response = log.get("response")
    choices = response.get("choices") if isinstance(response, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return message if isinstance(message, dict) else None


def assistant_turns(log: dict[str, Any]) -> int:
    """The log's assistant turns, the final one counted."""
    roles: list[str] = [message["role"] for message in log["request"]["messages"]]
    return roles.count("assistant") + (final_turn(log) is not None)
