"""Which of a trial's cumulative logs holds the conversation, and what the others add to it (rule R4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.dialects import Borrowed
from seta_dag.rollouts.sources.evidence import gather
from seta_dag.rollouts.sources.final_turn import final_turn
from seta_dag.rollouts.sources.log_files import log_files, read_log, usable
from seta_dag.rollouts.sources.refusals import skipped_notes

_KEYS = (b'"request": {\n', b'"messages": [\n')
_ODD_ROLE = re.compile(rb'"role"(?!: ")')
_HEAD = 4096
"""A log's keys and the first of its messages stand in its first bytes; what is farther on is parsed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The chosen log, and what the other logs of the trial say about it.

    Attributes:
        path: path of the chosen log.
        data: its bytes.
        log: the JSON object in it.
        borrowed: reasoning that another log holds, by index of the message from 0.
        notes: what is unusual about the other logs.
        reasoning: whether a usable log of the trial holds reasoning.
    """

    path: Path
    data: bytes
    log: dict[str, Any]
    borrowed: Mapping[int, Borrowed] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    reasoning: bool = False

    @property
    def log_skipped(self) -> bool:
        """True if another log is unusable, or a directory of logs cannot be listed."""
        return any(note.flag == Flag.LOG_SKIPPED for note in self.notes)


Rank = tuple[float, bool, tuple[str, int, str]]
"""What rule R4 compares: assistant turns, whether there is a final turn, then name, bytes and path."""


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

    def _preference(self) -> tuple[str, int, str]:
        return self.path.name, self.size, str(self.path)


def choose(trial: Path) -> Snapshot | None:
    """Return the log with the most assistant turns, None if no log is usable.

    Among equals, one with a final turn wins, then the greatest name, then the largest, then the greatest
    path. Every log is read, but only those that can still win are parsed; besides the best one, only the
    likeliest is held in memory. The others are then compared with it, one at a time.
    """
    files, closed = log_files(str(trial))
    paths = [Path(file.path) for file in files]
    best, refused = _best(paths)
    if best is None:
        return None
    others = [path for path in sorted(paths) if path != best[0] and path not in refused]
    evidence = gather(*best, others)
    skipped = skipped_notes([*refused, *evidence.skipped], closed)
    return Snapshot(*best, evidence.borrowed, (*evidence.notes, *skipped), evidence.reasoning)


def _best(paths: Iterable[Path]) -> tuple[tuple[Path, bytes, dict[str, Any]] | None, set[Path]]:
    """Return (path, bytes, log) of the best log, and the paths that turned out not to be usable."""
    best: tuple[Rank, tuple[Path, bytes, dict[str, Any]]] | None = None
    refused: set[Path] = set()
    candidates, held = _candidates(paths)
    for candidate in sorted(candidates, key=_Candidate.best_rank, reverse=True):
        if best is not None and candidate.best_rank() < best[0]:
            break
        data = held if held is not None else read_log(candidate.path)
        held = None
        log = usable(data)
        if log is None:
            refused.add(candidate.path)
        elif best is None or candidate.rank(log) > best[0]:
            best = candidate.rank(log), (candidate.path, data, log)
    return best and best[1], refused


def _candidates(paths: Iterable[Path]) -> tuple[list[_Candidate], bytes | None]:
    """Each log, and the bytes of the one that is parsed first."""
    found: list[_Candidate] = []
    first: tuple[Rank, bytes] | None = None
    for path in paths:
        data = read_log(path)
        found.append(_Candidate(path, len(data), _most_turns(data)))
        if first is None or found[-1].best_rank() > first[0]:
            first = found[-1].best_rank(), data
    return found, first and first[1]


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


def assistant_turns(log: dict[str, Any]) -> int:
    """The log's assistant turns, the final one counted."""
    roles: list[str] = [message["role"] for message in log["request"]["messages"]]
    return roles.count("assistant") + (final_turn(log) is not None)
