"""A filter of your own: drop rows with more assistant turns than a bound.

    python examples/own_filter.py build --max-turns 40

It is then an option of the command line, of config files and of Dagster's launchpad, and the ledger and the
card name its reason. For the UI, import this module before `seta_dag.definitions`.
"""

from typing import Any

from seta_dag.dataset.filters.base import Option, Signals
from seta_dag.dataset.filters.registry import register
from seta_dag.errors import ConfigError


class MaxTurns:
    """Keep rows that have at most this many assistant turns."""

    name = "max_turns"
    reason = "too_many_turns"
    meaning = "the conversation has more assistant turns than requested"
    wording = "maximum assistant turns"
    option = Option("--max-turns", int, "Drop rows with more assistant turns than this.")

    def check(self, value: Any) -> int:
        if type(value) is not int or value < 1:
            raise ConfigError(f"max_turns {value}: give a whole number of at least 1")
        return value

    def dropped(self, value: int, row: Signals) -> str | None:
        turns = row.n_assistant_turns
        return f"{turns} assistant turns are more than {value}" if turns > value else None


register(MaxTurns())

if __name__ == "__main__":
    from seta_dag.cli import main

    main()
