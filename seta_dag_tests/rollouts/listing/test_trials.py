"""Which directories are runs and trials, and what their names say (R1, R2)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError
from seta_dag.rollouts.listing.trials import Run, find_runs, list_trials, run_at

# Task id and trajectory number by directory name; None for a bad name.
NAMES: dict[str, tuple[str, int] | None] = {
    "stack_overflow__104_t0_2059f3": ("stack_overflow__104", 0),
    "task_t12_abcdef": ("task", 12),
    "a_t0_0": ("a", 0),
    "with_t1_inside_t2_abc123": ("with_t1_inside", 2),
    "x_t1_abc_t2_def": ("x_t1_abc", 2),
    "x_t3_t4_t5_abc": ("x_t3_t4", 5),
    "dots.in.name+and@signs_t0_4be87e": ("dots.in.name+and@signs", 0),
    "UPPER Case and spaces_t0_660a59": ("UPPER Case and spaces", 0),
    "数据处理_é_t0_12ab34": ("数据处理_é", 0),
    "🧪_t0_12ab34": ("🧪", 0),
    "_resume_t0_12ab34": ("_resume", 0),
    f"{'long' * 30}_t0_660a59": ("long" * 30, 0),
    "t_t007_ff": ("t", 7),
    "x_t0_0123456789abcdef0123456789abcdef": ("x", 0),
    "notes from monday": None,
    "x_t0_XYZ": None,
    "x_t0_ABCDEF": None,
    "x_t0_": None,
    "x_t_abc": None,
    "_t0_abc": None,
    "x_t0_abc.bak": None,
    "x_t-1_abc": None,
    "x_0_abc": None,
    "x_t99999999999999999999_abc": None,
    ".hidden": None,
    "two\nlines_t0_abc": None,
}


def make_run(root: Path, *trials: str, path: str = "exp/run") -> Run:
    """Create a run with these trial directories and return it."""
    for name in trials:
        (root / path / "trials" / name).mkdir(parents=True)
    return run_at(path)


@pytest.mark.parametrize("name", NAMES)
def test_task_and_trajectory_are_read_from_the_name(name: str, tmp_path: Path) -> None:
    (trial,) = list_trials(tmp_path, make_run(tmp_path, name))
    assert (trial.uid, trial.path) == (name, f"exp/run/trials/{name}")
    assert (trial.task_id, trial.traj_i) == (NAMES[name] or (None, None))


def test_image_builds_and_files_are_not_trials(tmp_path: Path) -> None:
    run = make_run(tmp_path, "x_t0_ab", "_build", "_build_x", "_build_t0_ab")
    (tmp_path / "exp/run/trials/y_t0_ab").write_text("a file")
    assert [trial.uid for trial in list_trials(tmp_path, run)] == ["x_t0_ab"]


def test_trials_are_sorted_by_uid(tmp_path: Path) -> None:
    run = make_run(tmp_path, "b_t0_1", "a_t10_1", "a_t1_2", "a_t1_1")
    assert [trial.uid for trial in list_trials(tmp_path, run)] == ["a_t10_1", "a_t1_1", "a_t1_2", "b_t0_1"]


def test_name_that_is_not_utf8_is_a_bad_name(tmp_path: Path) -> None:
    run = make_run(tmp_path, os.fsdecode(b"x\xff_t0_ab"))
    (trial,) = list_trials(tmp_path, run)
    assert (trial.uid, trial.task_id) == ("x\ufffd_t0_ab", None)


# Chain and n of `_resume_<n>` by path of the run.
CHAINS: dict[str, tuple[str, int]] = {
    "exp/X": ("exp/X", 0),
    "exp/X_resume": ("exp/X", 1),
    "exp/X_resume_2": ("exp/X", 2),
    "exp/X_resume_10": ("exp/X", 10),
    "exp/X_resume_resume": ("exp/X_resume", 1),
    "exp/X_resume_2_resume": ("exp/X_resume_2", 1),
    "exp/X_resumed": ("exp/X_resumed", 0),
    "exp/X_resume_": ("exp/X_resume_", 0),
    "exp/X_resume_b": ("exp/X_resume_b", 0),
    "exp/two\nlines_resume": ("exp/two\nlines", 1),
    "exp/_resume": ("exp/_resume", 0),
    "exp_resume/X": ("exp_resume/X", 0),
    "X_resume": ("X", 1),
    ".": (".", 0),
}


@pytest.mark.parametrize("path", CHAINS)
def test_chain_and_number_are_read_from_the_name_of_the_run(path: str) -> None:
    run = run_at(path)
    assert (run.chain, run.resumed) == CHAINS[path]


def test_runs_of_a_chain_are_sorted_by_number_then_name() -> None:
    shuffled = ["X_resume_10", "X_resume_2", "X_resume_1", "X", "X_resume", "X_resume_02"]
    ordered = sorted(map(run_at, shuffled), key=lambda run: run.order)
    assert [run.path for run in ordered] == [
        "X", "X_resume", "X_resume_1", "X_resume_02", "X_resume_2", "X_resume_10"
    ]  # fmt: skip


# Directories, and the runs found among them.
TREES: dict[str, tuple[list[str], list[str]]] = {
    "root is a run": (["trials"], ["."]),
    "two runs of an experiment": (["exp/a/trials", "exp/b/trials"], ["exp/a", "exp/b"]),
    "different depths": (["a/trials", "x/y/z/b/trials"], ["a", "x/y/z/b"]),
    "run inside a run": (["a/trials", "a/old/b/trials"], ["a", "a/old/b"]),
    "root and a run inside it": (["trials", "b/trials"], [".", "b"]),
    "trials directory inside a trial": (["a/trials/x_t0_ab/trials"], ["a"]),
    "other directories": (["a/trials", "a/failed", "docs/img"], ["a"]),
}


@pytest.mark.parametrize("name", TREES)
def test_directory_with_trials_is_a_run(name: str, tmp_path: Path) -> None:
    folders, expected = TREES[name]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    assert [run.path for run in find_runs(tmp_path)] == expected


PATTERNS: dict[str, list[str]] = {
    "*": ["exp/X", "exp/X_resume", "other/Y"],
    "X*": ["exp/X", "exp/X_resume"],
    "exp/*": ["exp/X", "exp/X_resume"],
    "*_resume": ["exp/X_resume"],
    "other/Y": ["other/Y"],
    "[XY]": ["exp/X", "other/Y"],
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_glob_selects_runs_by_name_or_path(pattern: str, tmp_path: Path) -> None:
    for path in PATTERNS["*"]:
        make_run(tmp_path, "x_t0_ab", path=path)
    assert [run.path for run in find_runs(tmp_path, pattern)] == PATTERNS[pattern]


def test_run_with_many_links_to_it_is_found_once_under_its_own_path(tmp_path: Path) -> None:
    make_run(tmp_path, "x_t0_ab", path="m/run")
    for n in range(30):
        (tmp_path / f"link{n:02}").symlink_to(tmp_path / "m/run")
    (tmp_path / "m/loop").symlink_to(tmp_path)
    assert [run.path for run in find_runs(tmp_path)] == ["m/run"]


@pytest.mark.parametrize("folders", [[], ["exp/empty", "exp/trial"]])
def test_root_without_a_run_is_an_error(folders: list[str], tmp_path: Path) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(ConfigError, match="contains no runs"):
        find_runs(tmp_path)


def test_missing_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such directory"):
        find_runs(tmp_path / "absent")


def test_glob_without_a_match_is_an_error(tmp_path: Path) -> None:
    make_run(tmp_path, "x_t0_ab")
    with pytest.raises(ConfigError, match="none of its 1 runs matches 'Z'"):
        find_runs(tmp_path, "Z")


def test_run_whose_path_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    make_run(tmp_path, "x_t0_ab", path=os.fsdecode(b"run\xff"))
    with pytest.raises(ConfigError, match="rename it"):
        find_runs(tmp_path)
