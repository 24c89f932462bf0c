"""Logs that rule R4 does not call usable: which they are, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from seta_dag.rollouts.confined import OutsideError
from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.log_files import LOGS, log_files, refusal

_SHOWN = 10
"""Number of refused logs that a sentence names; a trial can have hundreds."""


def skipped_notes(skipped: Iterable[Path], closed: Iterable[str], outside: Iterable[str]) -> Iterator[Note]:
    """Yield a note for each skipped log, for each directory in `closed`, which cannot be listed, and for
    each link in `outside`, which leads out of the trial."""
    for path in sorted(skipped):
        yield Note(Flag.LOG_SKIPPED, None, f"{clean(path.name)}: {refusal(path)}")
    for folder in sorted(closed):
        yield Note(Flag.LOG_SKIPPED, None, f"{clean(Path(folder).name)}: cannot be listed")
    for link in sorted(outside):
        yield Note(Flag.LINK_NOT_FOLLOWED, None, clean(Path(link).name))


def no_usable_log(trial: Path) -> str:
    """Say which logs of a trial without a usable one were tried, and why each was refused.

    At most ten are named. Names are relative to CAMEL_LOG_DIR.
    """
    files, closed, outside = log_files(str(trial))
    refused = {_name(trial, file.path): refusal(Path(file.path)) for file in files}
    refused |= {_name(trial, link): str(OutsideError("trial")) for link in outside}
    refused |= {_name(trial, folder): "cannot be listed" for folder in closed}
    if not refused:
        return f"no log below {LOGS}"
    named = [f"{name}: {refused[name]}" for name in sorted(refused)]
    rest = [f"and {len(named) - _SHOWN:,} more"] if len(named) > _SHOWN else []
    return f"none of {len(named):,} usable: {'; '.join([*named[:_SHOWN], *rest])}"


def _name(trial: Path, path: str) -> str:
    name = Path(path).relative_to(trial / LOGS).as_posix()
    return clean(LOGS if name == "." else name)
