"""The rollouts directory counted afresh, apart from the code that the ledger was made with."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from seta_dag.dataset.ledger.ledger import LedgerLine
from seta_dag.errors import ConfigError
from seta_dag.rollouts.json_reader import LEADS_NOWHERE, clean

_UID = re.compile(r"(.+)_t\d{1,18}_[0-9a-f]+")
_RESUMED = re.compile(r"(?<=[^/])_resume(_\d+)?\Z")
_TRACEBACK = re.compile(r"(?!build_)(.+)\.txt", re.DOTALL)


def count_by_run(root: Path, pattern: str) -> Counter[str]:
    """Trial directories by run, and for each chain the failed rollouts that have none, as `failed: X`.

    Raises `ConfigError` for a folder that can't be listed, where the glob could match a run in it.
    """
    counts: Counter[str] = Counter()
    tried: set[tuple[str, str]] = set()
    failed: set[tuple[str, str]] = set()
    for run in _runs(root, pattern):
        chain = _RESUMED.sub("", run)
        names = _names(root / run / "trials", stat.S_ISDIR)
        trials = [name for name in names if not name.startswith("_build")]
        counts[run] = len(trials)
        tried |= {(chain, uid[1]) for uid in map(_UID.fullmatch, trials) if uid and clean(uid[0]) == uid[0]}
        files = _names(root / run / "failed", stat.S_ISREG)
        failed |= {(chain, clean(name[1])) for name in map(_TRACEBACK.fullmatch, files) if name}
    counts.update(f"failed: {chain}" for chain, _ in failed - tried)
    return counts


def _runs(root: Path, pattern: str) -> Iterator[str]:
    """The runs that match. Of several paths to one `trials/` the one with the fewest links is its run."""
    seen: set[str] = set()
    for _, folder in sorted(_places(root, pattern)):
        trials, run = os.path.realpath(folder / "trials"), os.path.relpath(folder, root)
        matches = fnmatch.fnmatchcase(run, pattern) or fnmatch.fnmatchcase(run.rpartition("/")[2], pattern)
        if trials not in seen and matches:
            yield run
        seen.add(trials)


def _places(root: Path, pattern: str) -> Iterator[tuple[int, Path]]:
    """(links on the way, folder) of every folder that holds a `trials/`: real folders first, then links."""
    seen: set[str] = set()
    links, tops = 0, [root]
    while tops:
        linked: list[Path] = []
        for top in sorted(tops):
            for path, names, _ in os.walk(top, onerror=_refuse(root, pattern)):
                folder, real = Path(path), os.path.realpath(path)
                below = set() if real in seen else set(names) - {"trials"}
                if "trials" in names and real not in seen:
                    yield links + (folder / "trials").is_symlink(), folder
                seen.add(real)
                names[:] = sorted(below)
                linked += [folder / name for name in below if (folder / name).is_symlink()]
        tops = [link for link in linked if not _holds(link, root)]
        links += 1


def _holds(link: Path, root: Path) -> bool:
    return Path(os.path.realpath(root)).is_relative_to(os.path.realpath(link))


def _refuse(root: Path, pattern: str) -> Callable[[OSError], None]:
    head = re.split(r"[*?[]", pattern)[0]

    def refuse(error: OSError) -> None:
        folder = os.path.relpath(error.filename, root) + "/"
        elsewhere = "/" in head and not (folder.startswith(head) or head.startswith(folder))
        if error.errno not in LEADS_NOWHERE and (folder == "./" or not elsewhere):
            raise ConfigError(
                f"{clean(str(error.filename))}: can't be listed ({error.strerror}); give read permission"
            )

    return refuse


def _names(folder: Path, is_kind: Callable[[int], bool]) -> list[str]:
    """The names of that kind in a folder; what can't be told is of every kind."""
    try:
        return [name for name in os.listdir(folder) if _is(folder / name, is_kind)]
    except OSError as error:
        if error.errno in LEADS_NOWHERE:
            return []
        raise ConfigError(
            f"{clean(str(folder))}: can't be listed ({error.strerror}); give read permission"
        ) from error


def _is(path: Path, is_kind: Callable[[int], bool]) -> bool:
    try:
        return is_kind(path.stat().st_mode)
    except OSError as error:
        return error.errno not in LEADS_NOWHERE


def unaccounted(lines: Iterable[LedgerLine], listed: Counter[str]) -> list[str]:
    """A sentence for each run where the ledger's lines are not as many as the trials listed."""
    written = Counter(
        f"failed: {line['chain']}" if line["trial_uid"] is None else line["run"] for line in lines
    )
    places = sorted(written.keys() | listed.keys())
    return [
        f"{place}: {written[place]} lines in the ledger, {listed[place]} on disk"
        for place in places
        if written[place] != listed[place]
    ]
