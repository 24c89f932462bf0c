"""Links in a run that lead out of it, and what is therefore not read (rule R1, docs/rules.md)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seta_dag.rollouts.confined import is_outside
from seta_dag.rollouts.listing.failed_rollouts import FAILED
from seta_dag.rollouts.listing.run_settings import SETTINGS_FILES


def links_out(root: Path, runs: Iterable[str]) -> list[str]:
    """Return the paths, relative to `root`, of configuration files and `failed/` that leave their run.

    Links of trials are in the ledger: as a flag, or in the detail of a drop.
    """
    names = (FAILED, *SETTINGS_FILES)
    return [f"{run}/{name}" for run in runs for name in names if is_outside(str(root / run), name)]
