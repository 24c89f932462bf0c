"""Count the trials in the rollouts directory independently of the ledger (rule R11, docs/rules.md).

On purpose, this shares no code with `rollouts` for finding trials: a mistake there would repeat here.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.errors import ConfigError
from seta_dag.rollouts.json_reader import LEADS_NOWHERE, clean

_UID = re.compile(r"(.+)_t\d{1,18}_[0-9a-f]+")
_RESUMED = re.compile(r"(?<=[^/])_resume(_\d+)?\Z")
_TRACEBACK = re.compile(r"(?!build_)(.+)\.txt", re.DOTALL)


def count_by_run(root: Path, pattern: str) -> Counter[str]:
    """Count trial directories per run, and per chain the failed rollouts without one (rule R1).

    Runs are relative to `root`; the count of failed rollouts of chain X has the key `failed: X`. Only runs
    that match the glob `pattern` are counted.

    Raises:
        ConfigError: if a directory cannot be listed and could contain a run that matches.
    """
    counts: Counter[str] = Counter()
    tried: set[tuple[str, str]] = set()
    failed: set[tuple[str, str]] = set()
    for run in _runs(root, pattern):
        chain = _RESUMED.sub("", run)
        names = _names(root / run / "trials", stat.S_ISDIR)
        trials = [name for name in names if not name.startswith("_build")]
        counts[run] = len(trials)
        # Names that are not valid UTF-8 belong to no task.
        tried |= {(chain, uid[1]) for uid in map(_UID.fullmatch, trials) if uid and clean(uid[0]) == uid[0]}
        files = _names(root / run / "failed", stat.S_ISREG) if _contains_failed(root / run) else []
        failed |= {(chain, clean(name[1])) for name in map(_TRACEBACK.fullmatch, files) if name}
    # A resumed run may have created the directory, so this is known only after the last run of a chain.
    counts.update(f"failed: {chain}" for chain, _ in failed - tried)
    return counts


def _contains_failed(run: Path) -> bool:
    """Return whether `failed/` is in its run; a link out of it is not followed (rule R1)."""
    return Path(os.path.realpath(run / "failed")).is_relative_to(os.path.realpath(run))


def _runs(root: Path, pattern: str) -> Iterator[str]:
    """Yield the runs that match, each one once, under the path with the fewest links (rule R1)."""
    seen: set[str] = set()
    for _, folder in sorted(_places(root, pattern)):
        trials, run = os.path.realpath(folder / "trials"), os.path.relpath(folder, root)
        matches = fnmatch.fnmatchcase(run, pattern) or fnmatch.fnmatchcase(run.rpartition("/")[2], pattern)
        if trials not in seen and matches:
            yield run
        # Also if the glob did not match: a longer path to the same run is not another run.
        seen.add(trials)


def _places(root: Path, pattern: str) -> Iterator[tuple[int, Path]]:
    """Yield (number of links on the path, directory) of every directory that contains a `trials/`.

    Directories are walked breadth-first by the number of links, so the first path to a directory has the
    fewest.
    """
    seen: set[str] = set()
    links, tops = 0, [root]
    while tops:
        linked: list[Path] = []
        for top in sorted(tops):
            for path, names, _ in os.walk(top, onerror=_refuse(root, pattern)):
                folder, real = Path(path), os.path.realpath(path)
                # `trials/` itself is not searched, nor a directory that was reached before: links can loop.
                below = set() if real in seen else set(names) - {"trials"}
                if "trials" in names and real not in seen:
                    yield links + (folder / "trials").is_symlink(), folder
                seen.add(real)
                names[:] = sorted(below)  # in place: tells `os.walk` where to go next
                linked += [folder / name for name in below if (folder / name).is_symlink()]
        # A link to a parent of the root would lead out of the rollouts.
        tops = [link for link in linked if not _contains(link, root)]
        links += 1


def _contains(link: Path, root: Path) -> bool:
    return Path(os.path.realpath(root)).is_relative_to(os.path.realpath(link))


def _refuse(root: Path, pattern: str) -> Callable[[OSError], None]:
    """Return an error handler for `os.walk` that raises if a run that matches could be missed."""
    head = re.split(r"[*?[]", pattern)[0]  # what every matching path starts with

    def refuse(error: OSError) -> None:
        folder = os.path.relpath(error.filename, root) + "/"
        # Without a slash the glob may match the name of a run at any depth.
        elsewhere = "/" in head and not (folder.startswith(head) or head.startswith(folder))
        if error.errno not in LEADS_NOWHERE and (folder == "./" or not elsewhere):
            raise ConfigError(
                f"{clean(str(error.filename))}: cannot be listed ({error.strerror}); give read permission"
            )

    return refuse


def _names(folder: Path, is_kind: Callable[[int], bool]) -> list[str]:
    """Return the names of one kind in a directory; empty if there is no such directory.

    Raises:
        ConfigError: if the directory cannot be listed.
    """
    try:
        return [name for name in os.listdir(folder) if _is(folder / name, is_kind)]
    except OSError as error:
        if error.errno in LEADS_NOWHERE:
            return []
        raise ConfigError(
            f"{clean(str(folder))}: cannot be listed ({error.strerror}); give read permission"
        ) from error


def _is(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Return whether a path is of a kind; True if that is unknown, so that nothing goes uncounted."""
    try:
        return is_kind(path.stat().st_mode)
    except OSError as error:
        return error.errno not in LEADS_NOWHERE


def unaccounted(lines: Iterable[LedgerLine], listed: Counter[str]) -> list[str]:
    """Compare the ledger with the result of `count_by_run`; one sentence per run whose counts differ."""
    written = Counter(f"failed: {line.chain}" if line.trial_uid is None else line.run for line in lines)
    places = sorted(written.keys() | listed.keys())
    return [
        f"{place}: {written[place]} lines in the ledger, {listed[place]} on disk"
        for place in places
        if written[place] != listed[place]
    ]
