"""Arrow allocates from the system allocator, and freed memory returns to the system."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

POOL = "import seta_dag.defs, pyarrow as pa; print(pa.default_memory_pool().backend_name)"
TRIMMED = """
from seta_dag.executor.memory import give_back
def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
many = [bytes(1000) for _ in range(100_000)]
last = bytes(1000)  # allocated above them, so that the heap can't shrink by itself
full = held()
del many
give_back()
print(full - held())
"""


def run(code: str, **env: str) -> str:
    """Run `code` in a new process and return what it prints."""
    inherited = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=inherited | env)
    return done.stdout.decode().strip()


def test_arrow_uses_the_system_allocator_unless_the_environment_names_another() -> None:
    assert run(POOL) == "system"
    assert run(POOL, ARROW_DEFAULT_MEMORY_POOL="mimalloc") == "mimalloc"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, which only Linux has")
def test_freed_memory_is_returned_to_the_system() -> None:
    assert int(run(TRIMMED)) > 80_000_000
