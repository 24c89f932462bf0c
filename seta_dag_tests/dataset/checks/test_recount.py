"""The independent recount agrees with the merge for any rollouts directory (Rule R11, docs/rules.md)."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.dataset.checks.recount import count_by_run, unaccounted
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.errors import ConfigError
from seta_dag.rollouts.merge import merge_runs
from seta_dag_tests.support.unprivileged import closed

Tree = dict[str, str | None]
"""Paths below the root's parent; None is a folder, `-> x` a link to x, anything else a file's text."""

X = "root/exp/X/trials/task_t0_ab"
TREES: dict[str, tuple[Tree, dict[str, int]]] = {
    "trials": ({X: None, f"{X}/trials/x_t0_ab": None}, {"exp/X": 1}),
    "no trial": ({"root/exp/X/trials": None}, {"exp/X": 0}),
    "the root is a run": ({"root/trials/task_t0_ab": None}, {".": 1}),
    "a bad name": ({X: None, "root/exp/X/trials/notes": None}, {"exp/X": 2}),
    "builds and files": (
        {X: None, "root/exp/X/trials/_build_t0_ab": None, "root/exp/X/trials/a_t0_b": ""},
        {"exp/X": 1},
    ),
    "a run below a run": (
        {X: None, "root/exp/X/old/Y/trials/task_t0_ab": None, "root/exp/X/old/Y/Z/trials": None},
        {"exp/X": 1, "exp/X/old/Y": 1, "exp/X/old/Y/Z": 0},
    ),
    "a run below the root": ({"root/trials/task_t0_ab": None, "root/b/trials": None}, {".": 1, "b": 0}),
    "a folder named like a traceback": ({X: None, "root/exp/X/failed/a.txt": None}, {"exp/X": 1}),
    "a dead link named like a traceback": ({X: None, "root/exp/X/failed/a.txt": "-> a.txt"}, {"exp/X": 1}),
    "tracebacks": (
        {
            X: None,
            **{f"root/exp/X/failed/{n}": "" for n in ("a.txt", "build_a.txt", "task.txt", ".txt", "b")},
        },
        {"exp/X": 1, "failed: exp/X": 1},
    ),
    "a traceback with a bad name": (
        {X: None, "root/exp/X/trials/notes": None, "root/exp/X/failed/notes.txt": ""},
        {"exp/X": 2, "failed: exp/X": 1},
    ),
    "tracebacks of a chain": (
        {X: None, "root/exp/X_resume_2/trials": None, "root/exp/X_resume_2/failed/task.txt": ""}
        | {f"root/exp/{run}/failed/a.txt": "" for run in ("X", "X_resume_2")},
        {"exp/X": 1, "exp/X_resume_2": 0, "failed: exp/X": 1},
    ),
    "a run named _resume": (
        {"root/exp/_resume/trials": None, "root/exp/_resume/failed/a.txt": ""},
        {"exp/_resume": 0, "failed: exp/_resume": 1},
    ),
    "aliases": ({X: None, "root/a": "-> exp", "root/exp/A": "-> X", "root/b": "-> ."}, {"exp/X": 1}),
    "only a link": ({X: None, "store/trials/b_t0_ab": None, "root/a": "-> ../store"}, {"a": 1, "exp/X": 1}),
    "the folder above": ({X: None, "other/trials/b_t0_ab": None, "root/a": "-> .."}, {"exp/X": 1}),
    "linked trials": ({X: None, "root/a/trials": "-> ../exp/X/trials"}, {"exp/X": 1}),
    "a linked trial": ({X: None, "root/exp/X/trials/a_t0_ab": "-> task_t0_ab"}, {"exp/X": 2}),
    "links to themselves": (
        {X: None}
        | {f"root/{p}loop": "-> loop" for p in ("", "exp/", "exp/X/", "exp/X/trials/", "exp/X/failed/")},
        {"exp/X": 1},
    ),
}


def plant(folder: Path, tree: Tree) -> Path:
    """Create the tree below `folder` and return its root; paths that conflict with others are skipped."""
    (folder / "root").mkdir()
    for path, content in tree.items():
        with suppress(OSError):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                (folder / path).mkdir(exist_ok=True)
            elif content.startswith("-> "):
                (folder / path).symlink_to(content.removeprefix("-> "))
            else:
                (folder / path).write_text(content)
    return folder / "root"


def merged_counts(root: Path, pattern: str) -> Counter[str]:
    """Return the same counts, taken from the merge."""
    merged = merge_runs(root, pattern, "student")
    counts = Counter(trial.run for trial in merged.trials)
    counts.update(dict.fromkeys(merged.runs, 0))
    counts.update(f"failed: {rollout.chain}" for rollout in merged.failed)
    return counts


@pytest.mark.parametrize("name", TREES)
def test_runs_trials_and_tracebacks_are_counted(name: str, tmp_path: Path) -> None:
    tree, expected = TREES[name]
    root = plant(tmp_path, tree)
    assert dict(count_by_run(root, "*")) == expected


@pytest.mark.parametrize("name", TREES)
def test_the_merge_gives_the_same_counts(name: str, tmp_path: Path) -> None:
    tree, expected = TREES[name]
    assert dict(merged_counts(plant(tmp_path, tree), "*")) == expected


NAMES = st.sampled_from(
    ["X", "X_resume", "a", "trials", "trials", "failed", "task_t0_ab", "_build", "task.txt"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)
TOPS = st.sampled_from(["root", "root", "store"])
PLACES = st.tuples(TOPS, PATHS).map("/".join)
TARGETS = st.one_of(
    st.lists(st.just(".."), max_size=2).map("/".join), st.sampled_from(["X", "a", "trials", "loop"])
)
LINKS = st.tuples(TARGETS, st.sampled_from(["", "X", "root", "store", "store/X"])).map("/".join)
RANDOM: st.SearchStrategy[Tree] = st.dictionaries(
    PLACES, st.none() | st.just("text") | LINKS.map(lambda target: f"-> ./{target}"), max_size=12
)
PATTERNS = st.sampled_from(["*", "*", "X*", "a/*", "?", "X/[aX]*"])


@given(tree=RANDOM, pattern=PATTERNS)
def test_recount_and_merge_agree_on_random_trees(tree: Tree, pattern: str) -> None:
    with TemporaryDirectory() as folder:
        root = plant(Path(folder), {"root/X/trials/task_t0_ab": None, "root/a/X/trials": None, **tree})
        try:
            expected = merged_counts(root, pattern)
        except ConfigError:  # no run matches
            expected = Counter()
        assert dict(count_by_run(root, pattern)) == dict(expected)


@pytest.mark.parametrize("pattern", ["X*", "exp/*", "exp/X", "none", "*/X"])
def test_only_runs_matching_the_glob_are_counted(pattern: str, tmp_path: Path) -> None:
    paths = ["exp/X", "exp/Y", "other/X"]
    root = plant(tmp_path, {f"root/{path}/trials": None for path in paths})
    matched = {"X*": {0, 2}, "exp/*": {0, 1}, "exp/X": {0}, "none": set(), "*/X": {0, 2}}[pattern]
    assert count_by_run(root, pattern).keys() == {paths[n] for n in matched}


@pytest.mark.parametrize("mode", [0o000, 0o111], ids=oct)
@pytest.mark.parametrize("folder", ["exp", "exp/X", "exp/X/trials", "exp/X/failed", "notes"])
def test_a_folder_that_cannot_be_listed_is_a_config_error(folder: str, mode: int, tmp_path: Path) -> None:
    root = plant(tmp_path, {X: None, "root/notes": None, "root/exp/X/failed": None})
    with closed(root / folder, mode), pytest.raises(ConfigError, match=f"{root / folder}: cannot be listed"):
        count_by_run(root, "*")


@pytest.mark.parametrize("folder", ["exp/X", "exp/X/trials", "notes"])
def test_an_unreadable_folder_outside_the_glob_is_ignored(folder: str, tmp_path: Path) -> None:
    root = plant(tmp_path, {X: None, "root/notes": None, "root/exp/Y/trials": None})
    with closed(root / folder):
        assert dict(count_by_run(root, "exp/Y*")) == {"exp/Y": 0}


LINES = [LedgerLine("X", "X", uid, "a", 0) for uid in ("a", None)]
UNACCOUNTED: dict[str, tuple[dict[str, int], list[str]]] = {
    "all accounted for": ({"X": 1, "failed: X": 1}, []),
    "an empty run": ({"X": 1, "Y": 0, "failed: X": 1}, []),
    "a trial missing from the ledger": ({"X": 2, "failed: X": 1}, ["X: 1 lines in the ledger, 2 on disk"]),
    "a trial missing on disk": ({"failed: X": 1}, ["X: 1 lines in the ledger, 0 on disk"]),
    "a run missing from the ledger": (
        {"X": 1, "Y": 1, "failed: X": 1},
        ["Y: 0 lines in the ledger, 1 on disk"],
    ),
    "a failed rollout missing on disk": ({"X": 1}, ["failed: X: 1 lines in the ledger, 0 on disk"]),
}


@pytest.mark.parametrize("name", UNACCOUNTED)
def test_each_run_whose_counts_differ_is_reported(name: str) -> None:
    counts, expected = UNACCOUNTED[name]
    assert unaccounted(LINES, Counter(counts)) == expected
