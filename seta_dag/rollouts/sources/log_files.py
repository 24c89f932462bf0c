"""Where a trial's logs lie: every `conv_*.json` below CAMEL_LOG_DIR."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.json_reader import LEADS_NOWHERE

LOGS = "CAMEL_LOG_DIR"


def log_files(trial: str) -> tuple[list[os.DirEntry[str]], list[str]]:
    """(the logs of a trial directory, the folders among them that can't be listed), in no order.

    Whatever has the name of a log is given, a folder or a dead link too. Links to folders are not followed.
    """
    logs: list[os.DirEntry[str]] = []
    closed: list[str] = []
    folders = [f"{trial}/{LOGS}"]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as listed:
                entries = list(listed)
            folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError as error:
            closed += [folder] if error.errno not in LEADS_NOWHERE else []
            continue
        logs += [file for file in entries if file.name.startswith("conv_") and file.name.endswith(".json")]
    return logs, closed


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
    request = log.get("request") if isinstance(log, dict) else None
    messages = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(messages, list) or not messages:
        return None
    roles = [one.get("role") if isinstance(one, dict) else None for one in messages]
    return log if all(isinstance(role, str) for role in roles) else None
