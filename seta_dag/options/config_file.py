"""`--config FILE`: options from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from seta_dag.errors import ConfigError
from seta_dag.options.build_options import keys

_PATHS = ("rollouts", "out", "card")


def read_config(path: Path) -> dict[str, Any]:
    """Return the options in a TOML file; relative paths in it are relative to its folder.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or has a key that is not an option.
    """
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a TOML file") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not TOML ({error})") from error
    unknown = sorted(given.keys() - set(keys()))
    if unknown:
        raise ConfigError(f"{path}: no option {', '.join(unknown)}; the options are {', '.join(keys())}")
    return {name: _value(path, name, value) for name, value in given.items()}


def _value(path: Path, name: str, value: Any) -> Any:
    if name in (*_PATHS, "runs", "student") and not isinstance(value, str):
        raise ConfigError(f"{path}: {name} must be a string")
    if name in _PATHS and value:
        return str(path.parent / value)
    # A Hub id looks like a relative path, so a student is a path only if that folder exists.
    is_folder = name == "student" and (path.parent / value).is_dir()
    return str(path.parent / value) if is_folder else value
