"""Where a trial's logs lie: every `conv_*.json` below CAMEL_LOG_DIR."""

from __future__ import annotations

import os

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
