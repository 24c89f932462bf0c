"""Keep what is read of a trial inside its directory, and what is read of a run inside the run (rule R1).

The layout down to the trial directories is the user's: links to runs and to trials are followed. What is
inside of them was written by an agent with a shell, and a link there may lead to any file of this machine.
"""

from __future__ import annotations

import os
from itertools import accumulate

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.json_reader import UnreadableError


class OutsideError(UnreadableError):
    """A link on the way to the file leads out of the directory that it has to be in."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"a link that leads out of the {folder}")


def is_outside(folder: str, name: str) -> bool:
    """Return whether the real path of a file is not below that of `folder`.

    Args:
        folder: a trial directory or a run; it may itself be reached by links.
        name: path of the file, relative to `folder`. The file need not exist.
    """
    # Nearly nothing is a link, and a real path takes ten times as long to find.
    parts = accumulate(name.split("/"), "{}/{}".format)
    if not any(os.path.islink(f"{folder}/{part}") for part in parts):  # noqa: PTH114 - Path costs more
        return False
    top = os.path.realpath(folder)
    return os.path.commonpath([top, os.path.realpath(f"{folder}/{name}")]) != top


def read_within(folder: str, name: str, what: str = "trial") -> bytes:
    """Return the bytes of a regular file; `what` is the word for `folder` in the error.

    Raises:
        MissingError: there is no such file.
        UnreadableError: it is outside of `folder` (`OutsideError`), not a regular file, or cannot be read.
    """
    if is_outside(folder, name):
        raise OutsideError(what)
    return json_reader.read_bytes(f"{folder}/{name}")
