"""Hand the merge of a plan to the run that it starts in this process, so that rollouts are merged once."""

from __future__ import annotations

from pathlib import Path

from seta_dag.rollouts.merge import Merged, merge_runs

_Key = tuple[Path, str, str]
_merges: dict[_Key, Merged] = {}
"""Not part of the run config: a run that is executed again, later or elsewhere, has to merge again."""


def hand_over(merged: Merged, root: Path, pattern: str, student: str) -> None:
    """Keep a merge for the next run in this process; the arguments are those of `merge_runs`."""
    _merges.clear()
    _merges[root, pattern, student] = merged


def take_over(root: Path, pattern: str, student: str) -> Merged:
    """Return the merge that was kept for this run, or merge the runs. Raises what `merge_runs` raises."""
    found = _merges.pop((root, pattern, student), None)
    return merge_runs(root, pattern, student) if found is None else found
