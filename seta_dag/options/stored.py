"""The options that an output directory was last built with: `options.json`, for every later command."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import orjson

from seta_dag.dataset.filters.filters import Filters
from seta_dag.errors import ConfigError
from seta_dag.options.build_options import BuildOptions
from seta_dag.store.atomic import write_bytes
from seta_dag.store.layout import OutputLayout

_ALL = tuple(one.name for one in fields(BuildOptions))


def store_options(out: OutputLayout, options: BuildOptions, names: Collection[str] = _ALL) -> None:
    """Keep the named options for later builds and commands; the others stay as they are.

    The file is never published. Paths are stored as absolute ones, since the sensor may run in another
    working directory. Raises `OutputError`.
    """
    # An asset stores only what it used; a run from the UI must not reset the rest.
    stored = read_options(out) or options
    stored = replace(stored, **{name: getattr(options, name) for name in names})
    text = orjson.dumps(_form(stored), option=orjson.OPT_INDENT_2) + b"\n"
    # Every build and several assets store options, and few of them change any.
    if not out.options.is_file() or out.options.read_bytes() != text:
        write_bytes(out.options, text)


def _form(options: BuildOptions) -> dict[str, Any]:
    return {
        "rollouts": str(options.rollouts.absolute()),
        "runs": options.runs,
        "student": options.student,
        "card": str(options.card.absolute()) if options.card else None,
        "filters": options.filters.values,
    }


def read_options(out: OutputLayout) -> BuildOptions | None:
    """Return the stored options, None if there are none.

    A damaged file counts as missing: the options then come from flags, environment and defaults.
    """
    try:
        found = orjson.loads(out.options.read_bytes())
        texts = [found[name] for name in ("rollouts", "runs", "student")]
        card, filters = found["card"], Filters(**found["filters"])
    except (OSError, ValueError, LookupError, TypeError):  # ConfigError is a ValueError
        return None
    if not all(isinstance(text, str) for text in texts) or not isinstance(card, str | None):
        return None
    rollouts, runs, student = texts
    return BuildOptions(Path(rollouts), runs, student, filters, Path(card) if card else None)


def other_rollouts(out: OutputLayout, options: BuildOptions) -> str | None:
    """Say how `options` contradict the rollouts that `out` was built from; None if they do not."""
    stored = read_options(out)
    if stored is None:
        return None
    # Resolved: the same directory may be reached by a link or a relative path.
    if stored.rollouts.resolve() != options.rollouts.resolve():
        return f"{out.root} was built from {stored.rollouts}, but the rollouts given are {options.rollouts}"
    if stored.runs != options.runs:
        return f"{out.root} was built from the runs {stored.runs!r}, but the runs given are {options.runs!r}"
    return None


def require_same_rollouts(out: OutputLayout, options: BuildOptions) -> None:
    """Raise `ConfigError` if `out` was built from other rollouts than `options` name."""
    contradiction = other_rollouts(out, options)
    if contradiction:
        raise ConfigError(f"{contradiction}; leave them out to use those of the build, or build again")
