"""Open the Dagster instance that the `dagster` command would use in this directory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """Yield the instance of DAGSTER_HOME, else of ./dagster.yaml, else a temporary one.

    If Dagster's private function is missing, only the instance of DAGSTER_HOME can be opened.

    Raises:
        DagsterHomeNotSetError: if that function is missing and DAGSTER_HOME is not set.
    """
    try:
        # Private, because the public `DagsterInstance.get()` ignores a dagster.yaml in the working
        # directory: builds would not show up in the UI of `dagster dev`.
        from dagster._cli.utils import get_possibly_temporary_instance_for_cli as for_cli
    except ImportError:
        with dg.DagsterInstance.get() as instance:
            yield instance
        return
    # Otherwise Dagster logs the path of every temporary directory at INFO level.
    quiet = logging.getLogger("seta_dag.instance")
    quiet.setLevel(logging.WARNING)
    with for_cli(logger=quiet) as instance:
        yield instance
