"""What a worker loads before its first item, and how many threads it may start."""

from __future__ import annotations

import os
from importlib import import_module
from typing import NamedTuple

ONE_THREAD = {
    "FASTOKENS_BPE_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""Environment of every worker. The processes are the threads: otherwise 64 processes would start 64 threads
each, and a fork while threads are running can hang."""


class WarmUp(NamedTuple):
    """A function, as `module:name`, and its arguments; all of it plain text, so that it can be sent."""

    function: str
    arguments: tuple[str, ...] = ()

    def run(self) -> None:
        """Call the function in this process."""
        module, _, name = self.function.partition(":")
        getattr(import_module(module), name)(*self.arguments)


def use_one_thread() -> None:
    """Make the libraries that are loaded from now on use one thread, unless the user has decided."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
