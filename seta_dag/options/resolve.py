"""Where each option comes from, in order: given, config file, environment, output directory, default."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import FILTERS
from seta_dag.errors import ConfigError
from seta_dag.options.build_options import OUT, BuildOptions, keys
from seta_dag.options.config_file import read_config
from seta_dag.options.environment import read_environment
from seta_dag.options.stored import read_options
from seta_dag.store.layout import OutputLayout

_UNSET: tuple[Any, ...] = (None, (), [])
"""What click and Dagster pass for an option that was not given, multiple ones included."""


def resolve(
    given: Mapping[str, Any], *, config: Path | None = None, stored_filters: bool = True
) -> tuple[OutputLayout, BuildOptions]:
    """Return the output directory and the options of a build.

    Args:
        given: options of the command line or of Dagster's run config; None means not given.
        config: TOML file with the same keys.
        stored_filters: whether filters that are not given are those of the last build.

    Raises:
        ConfigError: a source cannot be read or a value makes no sense.
    """
    sources: list[Mapping[str, Any]] = [
        given,
        read_config(config) if config else {},
        read_environment(keys()),
    ]
    # `out` is found first, since it says where the stored options are.
    out = OutputLayout(Path(_first(sources, "out") or OUT))
    names = {one.name for one in FILTERS}
    stored = _by_name(read_options(out), stored_filters)
    return out, _typed({name: _first([*sources, stored], name) for name in keys()}, names)


def _by_name(stored: BuildOptions | None, with_filters: bool) -> dict[str, Any]:
    if stored is None:
        return {}
    filters = stored.filters.values if with_filters else {}
    return {
        "rollouts": stored.rollouts,
        "runs": stored.runs,
        "student": stored.student,
        "card": stored.card,
        "redact": stored.redact,
    } | filters


def _first(sources: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return the first value that is set. An empty string is set: `--card ''` takes a stored card back."""
    return next((source[name] for source in sources if source.get(name) not in _UNSET), None)


def _typed(values: Mapping[str, Any], filters: set[str]) -> BuildOptions:
    default = BuildOptions()
    return BuildOptions(
        rollouts=Path(values["rollouts"] or default.rollouts),
        runs=values["runs"] or default.runs,
        student=_student(values["student"] or default.student),
        filters=Filters(**{name: values[name] for name in filters}),
        card=Path(values["card"]) if values["card"] else None,
        redact=_switch("redact", values["redact"]),
    )


def _switch(name: str, value: Any) -> bool:
    """Return a value that is on or off, as TOML, Dagster and the environment write it."""
    found = {"1": True, "true": True, "0": False, "false": False, "": False, "none": False}.get(
        str(value).lower()
    )
    if found is None:
        raise ConfigError(f"{name} {value}: give true or false")
    return found


def _student(name: str) -> str:
    """Make a local folder absolute: the same student has one name from wherever a build starts."""
    return os.path.abspath(name) if Path(name).is_dir() else name  # noqa: PTH100 - without any `..`
