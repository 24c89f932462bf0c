"""The filters there are. Command line, config files, run config, ledger and card derive from this list."""

from __future__ import annotations

from seta_dag.dataset.filters.base import Filter
from seta_dag.dataset.filters.flags import DropFlags
from seta_dag.dataset.filters.length import MaxTokens
from seta_dag.dataset.filters.reward import MinReward
from seta_dag.errors import ConfigError
from seta_dag.rollouts.reasons import Reason

FILTERS: list[Filter] = [DropFlags(), MinReward(), MaxTokens()]
"""In the order in which they apply: the first one that drops a row gives the reason (rule R11)."""


def register(own: Filter) -> None:
    """Add a filter of your own, before `seta_dag.cli` or `seta_dag.definitions` is imported.

    See examples/own_filter.py. Raises `ConfigError` where its name or reason is taken.
    """
    names = {known.name for known in FILTERS}
    if own.name in names or own.reason in reasons():
        raise ConfigError(f"filter {own.name}: its name or its reason {own.reason} is taken; choose another")
    FILTERS.append(own)


def reasons() -> dict[str, str]:
    """Every reason a trial can be dropped for and its meaning, in the order of precedence."""
    return {str(reason): reason.meaning for reason in Reason} | {one.reason: one.meaning for one in FILTERS}
