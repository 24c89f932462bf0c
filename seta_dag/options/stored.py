"""The options that an output directory was last built with: `options.json`, for every later command."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import orjson

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import FILTERS
from seta_dag.errors import ConfigError
from seta_dag.options.build_options import BuildOptions
from seta_dag.store.atomic import write_bytes
from seta_dag.store.layout import OutputLayout

_KINDS: dict[str, type] = {"rollouts": str, "runs": str, "student": str, "filters": dict}
_ALL = tuple(one.name for one in fields(BuildOptions))


def store_options(out: OutputLayout, options: BuildOptions, names: Collection[str] = _ALL) -> None:
    """Keep the named options for later builds and commands; the others stay as they are.

    The file is never published. Raises `OutputError`.
    """
    # An asset stores only what it used; a run from the UI must not reset the rest.
    stored = read_options(out) or options
    stored = replace(stored, **{name: getattr(options, name) for name in names})
    text = orjson.dumps(_form(out, stored), option=orjson.OPT_INDENT_2) + b"\n"
    # Every build and several assets store options, and few of them change any.
    if not out.options.is_file() or out.options.read_bytes() != text:
        write_bytes(out.options, text)


def _form(out: OutputLayout, options: BuildOptions) -> dict[str, Any]:
    return {
        "rollouts": _stored_path(out, options.rollouts),
        "runs": options.runs,
        "student": options.student,
        "card": _stored_path(out, options.card) if options.card else None,
        "redact": options.redact,
        "filters": options.filters.values,
    }


def _stored_path(out: OutputLayout, path: Path) -> str:
    """Return a path relative to the output directory if it is next to it, else an absolute one.

    So a project that is copied or moved as a whole builds its own rollouts, not those of the original. The
    working directory does not matter: the sensor may have another one.
    """
    target, root = os.path.abspath(path), os.path.abspath(out.root)  # noqa: PTH100 - links stay links
    is_next_to_it = Path(target).is_relative_to(Path(root).parent)
    return os.path.relpath(target, root) if is_next_to_it else target


def _path(out: OutputLayout, stored: str) -> Path:
    return Path(os.path.normpath(out.root / stored))


def read_options(out: OutputLayout) -> BuildOptions | None:
    """Return the stored options, None if there are none.

    A damaged file counts as missing: the options then come from flags, environment and defaults.

    Raises:
        ConfigError: they have a filter of the user's own that is not registered in this process.
    """
    found = _document(out)
    if found is None:
        return None
    _require_registered(out, found["filters"])
    try:
        filters = Filters(**found["filters"])
    except ConfigError:  # a value that was never stored
        return None
    card = _path(out, found["card"]) if found["card"] else None
    return BuildOptions(
        _path(out, found["rollouts"]),
        found["runs"],
        found["student"],
        filters,
        card,
        found.get("redact") is True,
    )


def _document(out: OutputLayout) -> dict[str, Any] | None:
    """Return what the file holds, None unless every key has a value of its type."""
    try:
        found = orjson.loads(out.options.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or not all(
        isinstance(found.get(key), kind) for key, kind in _KINDS.items()
    ):
        return None
    return found if isinstance(found.get("card"), str | None) else None


def _require_registered(out: OutputLayout, filters: dict[str, Any]) -> None:
    unknown = sorted(filters.keys() - {one.name for one in FILTERS})
    if unknown:
        raise ConfigError(
            f"{out.options}: the last build used the filter {', '.join(unknown)}, which is not registered"
            " here; import the module that registers it, or remove the file"
        )


def contradiction(out: OutputLayout, options: BuildOptions) -> str | None:
    """Say how `options` contradict what `out` was built from; None if they do not."""
    stored = read_options(out)
    if stored is None:
        return None
    # Resolved: the same directory may be reached by a link or a relative path.
    if stored.rollouts.resolve() != options.rollouts.resolve():
        return f"{out.root} was built from {stored.rollouts}, but the rollouts given are {options.rollouts}"
    if stored.runs != options.runs:
        return f"{out.root} was built from the runs {stored.runs!r}, but the runs given are {options.runs!r}"
    if stored.student != options.student:
        return f"{out.root} was built for {stored.student}, but the student given is {options.student}"
    if stored.redact != options.redact:
        return f"{out.root} was built {'with' if stored.redact else 'without'} redact"
    return None


def require_same_build(out: OutputLayout, options: BuildOptions) -> None:
    """Raise `ConfigError` if `options` contradict what `out` was built from."""
    found = contradiction(out, options)
    if found:
        raise ConfigError(f"{found}; leave the option out to use that of the build, or build again")
