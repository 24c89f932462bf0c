"""Options from the environment: `SETA_ROLLOUTS`, `SETA_MIN_REWARD` and so on."""

from __future__ import annotations

import os
from typing import Any

from seta_dag.dataset.filters.base import Option
from seta_dag.dataset.filters.registry import FILTERS
from seta_dag.errors import ConfigError


def read_environment(names: list[str]) -> dict[str, Any]:
    """Return the options that have a non-empty variable `SETA_<NAME>`.

    A filter that takes several values reads them separated by commas.

    Raises:
        ConfigError: the variable of a filter does not hold a value of its type.
    """
    of_filter = {one.name: one.option for one in FILTERS}
    found = {name: os.environ.get(f"SETA_{name.upper()}", "") for name in names}
    return {
        name: _parsed(name, text, of_filter[name]) if name in of_filter else text
        for name, text in found.items()
        if text
    }


def _parsed(name: str, text: str, option: Option) -> Any:
    if option.multiple:
        return [part.strip() for part in text.split(",")]
    try:
        return option.kind(text)
    except ValueError as error:
        raise ConfigError(f"SETA_{name.upper()} {text}: give {_KINDS[option.kind]}") from error


_KINDS: dict[type, str] = {float: "a number", int: "a whole number", str: "a string"}
