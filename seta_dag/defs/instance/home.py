"""Where the Dagster instance of a build is: DAGSTER_HOME, the working directory, or the output directory."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from dotenv import dotenv_values

from seta_dag.errors import ConfigError
from seta_dag.store.atomic import write_bytes
from seta_dag.store.layout import OutputLayout

SETTINGS = "dagster.yaml"


def instance_home(out: OutputLayout) -> Path:
    """Return the folder with the settings of the instance that a build into `out` is recorded in.

    That is DAGSTER_HOME, which a file `.env` may set as for the `dagster` command; else the working
    directory, if it has a dagster.yaml; else `.dagster` in the output directory, which is created.

    Raises:
        ConfigError: DAGSTER_HOME is not the absolute path of a folder.
        OutputError: the folder in the output directory cannot be written.
    """
    if home := os.environ.get("DAGSTER_HOME") or dotenv_values(".env").get("DAGSTER_HOME"):
        return _dagster_home(home)
    if Path(SETTINGS).is_file():
        return Path.cwd()
    return _own_home(out.instance.absolute())


def _dagster_home(name: str) -> Path:
    home = Path(name).expanduser()
    if not home.is_absolute():
        fault = "it is a relative path"
    elif not home.exists():
        fault = "there is no such folder"
    elif not home.is_dir():
        fault = "it is not a folder"
    else:
        return home
    raise ConfigError(
        f"DAGSTER_HOME {name}: {fault}; set it to the absolute path of a folder, or unset it to keep the"
        " record of runs in the output directory"
    )


def _own_home(home: Path) -> Path:
    # Settings that somebody has changed are theirs.
    if not (home / SETTINGS).exists():
        write_bytes(home / SETTINGS, files("seta_dag.defs.instance").joinpath("settings.yaml").read_bytes())
    return home
