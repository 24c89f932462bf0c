"""Which of a trial's cumulative logs holds the conversation, and what the others add to it (rule R4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.cumulative import Cumulative
from seta_dag.rollouts.sources.dialects import Borrowed
from seta_dag.rollouts.sources.evidence import gather
from seta_dag.rollouts.sources.final_turn import assistant_turns, final_turn
from seta_dag.rollouts.sources.latest import Latest, read_latest
from seta_dag.rollouts.sources.log_files import log_files, read_log, usable
from seta_dag.rollouts.sources.refusals import skipped_notes

_KEYS = (b'"request": {\n', b'"messages": [\n')
_ODD_ROLE = re.compile(rb'"role"(?!: ")')
_HEAD = 4096
"""Number of bytes at the start of a log in which its keys and first message must begin."""


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
    """A log that was read, but not kept in memory: there are as many of them as the trial has model calls.

    Attributes:
        path: path of the log.
        size: its size in bytes.
        most_turns: its assistant turns, or an upper bound of them.
    """

    path: Path
    size: int
    most_turns: float

    def rank(self, log: dict[str, Any]) -> Rank:
        """Return the rank of this log, which was parsed."""
        return assistant_turns(log), final_turn(log) is not None, self._preference()

    def best_rank(self) -> Rank:
        """Return a rank that it cannot exceed, known without parsing."""
        return self.most_turns, True, self._preference()

    def _preference(self) -> tuple[str, int, str]:
        return self.path.name, self.size, str(self.path)


def choose(trial: Path) -> Snapshot | None:
    """Return the log with the most assistant turns, None if no log is usable.

    Among equals, one with a final turn wins, then the greatest name, then the largest, then the greatest
    path. Every log is read, but only those that can still win or are no beginnings of the latest one are
    parsed. Besides the best log, only the latest is held in memory.
    """
    files, unlisted, outside = log_files(str(trial))
    paths = [Path(path) for path in sorted(file.path for file in files)]
    latest = read_latest(paths)
    best, refused = _best(paths, latest)
    if best is None:
        return None
    path, data, log = best
    others = [other for other in paths if other is not path and other not in refused]
    if latest is not None and latest.path is path:
        evidence = gather(path, log, latest.cumulative, others, latest.beginnings)
    else:
        evidence = gather(path, log, Cumulative(data, log), others, {})
    skipped = skipped_notes([*refused, *evidence.skipped], unlisted, outside)
    notes = (*evidence.notes, *skipped)
    return Snapshot(path, data, log, evidence.borrowed, notes, evidence.reasoning)


def _best(
    paths: Iterable[Path], latest: Latest | None
) -> tuple[tuple[Path, bytes, dict[str, Any]] | None, set[Path]]:
    """Return (path, bytes, log) of the best log, and the paths that turned out not to be usable."""
    best: tuple[Rank, tuple[Path, bytes, dict[str, Any]]] | None = None
    refused: set[Path] = set()
    for candidate in sorted(_candidates(paths, latest), key=_Candidate.best_rank, reverse=True):
        if best is not None and candidate.best_rank() < best[0]:
            break
        if latest is None or candidate.path is not latest.path:
            data = read_log(candidate.path)
            log = usable(data)
        else:
            data, log = latest.data, latest.log
        if log is None:
            refused.add(candidate.path)
        elif best is None or candidate.rank(log) > best[0]:
            best = candidate.rank(log), (candidate.path, data, log)
    return best and best[1], refused


def _candidates(paths: Iterable[Path], latest: Latest | None) -> Iterator[_Candidate]:
    for path in paths:
        if latest is not None and path is latest.path:
            yield _Candidate(path, len(latest.data), latest.turns)
            continue
        data = read_log(path)
        turns = latest.turns_of(path, data) if latest is not None else None
        yield _Candidate(path, len(data), _most_turns(data) if turns is None else turns)


def _most_turns(data: bytes) -> float:
    """Return an upper bound of a log's assistant turns without parsing it; infinity if it must be parsed.

    It must be if it is not as CAMEL writes logs: truncated, foreign, with other spacing, or with letters as
    escapes. Otherwise the count of `"assistant"` finds every assistant turn except the final one, which may
    have no role.
    """
    head = data[:_HEAD]
    as_written = head.startswith(b'{\n    "') and data.endswith(b"\n}") and all(key in head for key in _KEYS)
    escaped = b"\\u00" in data and (b"\\u006" in data or b"\\u007" in data)
    if not as_written or escaped or _ODD_ROLE.search(data):
        return float("inf")
    return data.count(b'"assistant"') + 1
