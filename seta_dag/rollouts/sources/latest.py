"""The latest log of a trial, which nearly always is the one to choose (rule R4).

The other logs are then beginnings of it, and comparing their bytes with it tells all that is needed of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from seta_dag.rollouts.sources.cumulative import Cumulative, Shared
from seta_dag.rollouts.sources.final_turn import assistant_turns
from seta_dag.rollouts.sources.log_files import read_log, usable


class Latest:
    """A usable log, and which of the others are beginnings of it.

    Attributes:
        path: path of the log.
        data: its bytes.
        log: the JSON object in it.
        cumulative: its messages, to compare others with.
        beginnings: the logs that turned out to be beginnings of it, by path.
    """

    def __init__(self, path: Path, data: bytes, log: dict[str, Any]) -> None:
        self.path, self.data, self.log = path, data, log
        self.cumulative = Cumulative(data, log)
        self.beginnings: dict[Path, Shared] = {}
        self.turns = assistant_turns(log)
        # Number of assistant turns up to each message, so that those of a beginning need not be counted.
        roles = (message["role"] for message in log["request"]["messages"])
        self._turns: list[int] = list(accumulate(role == "assistant" for role in roles))

    def turns_of(self, path: Path, data: bytes) -> int | None:
        """Return the assistant turns of another log, its final turn counted; None if it is no beginning."""
        shared = self.cumulative.shared(data)
        if shared is None:
            return None
        self.beginnings[path] = shared
        return self._turns[shared.n_messages - 1] + (shared.final is not None)


def read_latest(paths: Sequence[Path]) -> Latest | None:
    """Read the log with the greatest name, which holds the time.

    Returns None if there is no log, or if it is not usable or not as CAMEL writes logs: no other log can be
    compared with it then, so it is not worth its memory.
    """
    if not paths:
        return None
    path = max(paths, key=lambda one: (one.name, str(one)))
    data = read_log(path)
    log = usable(data)
    latest = Latest(path, data, log) if log is not None else None
    return latest if latest is not None and latest.cumulative.is_comparable else None
