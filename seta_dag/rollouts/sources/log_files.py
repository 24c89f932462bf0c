"""Where the logs of a trial are: all `conv_*.json` below CAMEL_LOG_DIR (rule R4, docs/rules.md)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.confined import is_outside
from seta_dag.rollouts.json_reader import LEADS_NOWHERE

LOGS = "CAMEL_LOG_DIR"
"""Name of the directory of logs in a trial directory."""


class LogFiles(NamedTuple):
    """What was found where the logs of a trial are, in no order.

    Attributes:
        logs: found by name only, so they may turn out to be directories or dead links.
        unlisted: directories that cannot be listed.
        outside: links that lead out of the trial, which are not followed.
    """

    logs: list[os.DirEntry[str]]
    unlisted: list[str]
    outside: list[str]


def log_files(trial: str) -> LogFiles:
    """List the logs of the trial directory `trial`.

    Links to directories are not followed. Everything is empty if there is no directory of logs.
    """
    found = LogFiles([], [], [])
    if is_outside(trial, LOGS):
        found.outside.append(f"{trial}/{LOGS}")
        return found
    folders = [f"{trial}/{LOGS}"]
    # Strings and DirEntry instead of Path: this runs over every log of every trial, also in a build that
    # has nothing to do.
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as iterator:
                entries = list(iterator)
            folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError as error:
            found.unlisted.extend([folder] if error.errno not in LEADS_NOWHERE else [])
            continue
        for entry in entries:
            _sort(trial, entry, found)
    return found


def _sort(trial: str, entry: os.DirEntry[str], found: LogFiles) -> None:
    is_log = entry.name.startswith("conv_") and entry.name.endswith(".json")
    if entry.is_symlink() and is_outside(trial, entry.path[len(trial) + 1 :]):
        found.outside.append(entry.path)  # also a directory, which may have logs below
    elif is_log:
        found.logs.append(entry)


def read_log(path: Path) -> bytes:
    """Return the bytes of a log, nothing if it cannot be read."""
    try:
        return json_reader.read_bytes(path)
    except json_reader.UnreadableError:
        return b""


def usable(data: bytes) -> dict[str, Any] | None:
    """Return the log if rule R4 calls it usable, else None.

    That is a readable JSON object whose `request.messages` is a non-empty list of objects, each with a
    string `role`.
    """
    try:
        log = json_reader.parse(data)
    except json_reader.UnreadableError:
        return None
    return log if _fault(log) is None else None


def refusal(path: Path) -> str:
    """Return in a few words why a log is not usable."""
    try:
        log = json_reader.read(path)
    except json_reader.UnreadableError as error:
        return str(error)
    return _fault(log) or "changed while it was read"


def _fault(log: Any) -> str | None:
    """Return what keeps a JSON value from being a usable log, None if nothing does."""
    request = log.get("request") if isinstance(log, dict) else None
    messages = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(messages, list):
        return "no list request.messages"
    if not messages:
        return "request.messages is empty"
    roles = [one.get("role") if isinstance(one, dict) else None for one in messages]
    return None if all(isinstance(role, str) for role in roles) else "a message without a role"
