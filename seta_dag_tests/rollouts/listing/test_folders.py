"""Each run is found once, whatever links there are, and an unreadable directory is an error (R1)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError
from seta_dag.rollouts.listing.failed_rollouts import failed_rollouts
from seta_dag.rollouts.listing.trials import find_runs, list_trials, run_at
from seta_dag.rollouts.merge import merge_runs
from seta_dag_tests.support.rollouts import write_trial
from seta_dag_tests.support.unprivileged import closed

LINKS: dict[str, tuple[list[str], dict[str, str], list[str]]] = {
    "link that sorts before the run": (["root/m/run/trials"], {"root/a": "m/run"}, ["m/run"]),
    "link next to the run": (["root/run1/trials"], {"root/run2": "run1"}, ["run1"]),
    "link to the parent directory": (["root/m/run/trials"], {"root/a": "m"}, ["m/run"]),
    "link to a link": (["root/z/trials"], {"root/a": "b", "root/b": "z"}, ["z"]),
    "link inside the same directory": (["root/m/run/trials"], {"root/m/a": "run"}, ["m/run"]),
    "run outside the root": (["store/run/trials"], {"root/a": "../store/run"}, ["a"]),
    "run outside the root, two links": (
        ["store/trials"],
        {"root/b": "../store", "root/a": "../store"},
        ["a"],
    ),
    "run outside the root, links to it and its parent": (
        ["store/m/trials"],
        {"root/x": "../store", "root/a": "../store/m"},
        ["a"],
    ),
    "path with fewer links": (
        ["store/m/trials", "other"],
        {"root/a": "../other", "other/m": "../store/m", "root/z": "../store"},
        ["z/m"],
    ),
    "trials directory is a link": (["store/trials"], {"root/a/trials": "../../store/trials"}, ["a"]),
    "trials directory of another run": (["root/z/trials"], {"root/a/trials": "../z/trials"}, ["z"]),
    "link to the root": (["root/z/trials"], {"root/a": "."}, ["z"]),
    "link to the parent of the root": (["root/z/trials", "other/trials"], {"root/a": ".."}, ["z"]),
    "links in a circle": (["root/z/trials", "root/b"], {"root/b/c": "..", "root/a": "b"}, ["z"]),
}


"""Directories, links with their targets, and the paths of the runs below `root`."""


@pytest.mark.parametrize("name", LINKS)
def test_run_is_found_once_under_the_path_with_the_fewest_links(name: str, tmp_path: Path) -> None:
    folders, links, expected = LINKS[name]
    for folder in ("root", *folders):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for link, target in links.items():
        (tmp_path / link).parent.mkdir(exist_ok=True)
        (tmp_path / link).symlink_to(target)
    assert [run.path for run in find_runs(tmp_path / "root")] == expected


TRIAL = "exp/X/trials/task_t0_ab"
DEAD_LINKS = {
    "run that links to itself": ("exp/loop", "loop"),
    "trial that links to itself": ("exp/X/trials/loop_t0_ab", "loop_t0_ab"),
    "trial that links to nothing": ("exp/X/trials/loop_t0_ab", "gone"),
    "trial that links below a file": ("exp/X/trials/loop_t0_ab", "../failed/notes.md/below"),
    "traceback that links to itself": ("exp/X/failed/loop.txt", "loop.txt"),
    "traceback that links to nothing": ("exp/X/failed/loop.txt", "gone"),
    "traceback that links below a file": ("exp/X/failed/loop.txt", "notes.md/below"),
    "log that links to itself": (f"{TRIAL}/CAMEL_LOG_DIR/conv_loop.json", "conv_loop.json"),
}
"""A link, and its target. Each target gives another error: ELOOP, ENOENT, ENOTDIR."""


@pytest.mark.parametrize("name", DEAD_LINKS)
def test_dead_link_is_neither_a_trial_nor_a_failed_rollout(name: str, tmp_path: Path) -> None:
    link, target = DEAD_LINKS[name]
    write_trial(tmp_path, TRIAL)
    (tmp_path / "exp/X/failed").mkdir()
    (tmp_path / "exp/X/failed/notes.md").write_text("a file")
    (tmp_path / link).symlink_to(target)
    merged = merge_runs(tmp_path, "*", "student")
    assert [trial.path for trial in merged.trials] == [TRIAL]
    assert merged.failed == ()


@pytest.mark.parametrize("name", ["trials", "failed", "X"])
def test_link_to_itself_instead_of_a_directory_is_not_a_run(name: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    (tmp_path / "exp/Y").mkdir()
    (tmp_path / "exp/Y" / name).symlink_to(name)
    assert [run.path for run in find_runs(tmp_path)] == ["exp/X"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two runs, one with a failed rollout, and directories that are not runs."""
    write_trial(tmp_path, TRIAL)
    write_trial(tmp_path, "exp/Y/trials/task_t0_ab")
    for name in ("exp/X/failed", "notes/below", ".hidden"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "exp/X/failed/gone.txt").write_text("OSError: gone")
    return tmp_path


UNREADABLE = [
    *[(folder, 0o000) for folder in ("exp", "exp/X", "exp/X/trials", "exp/X/failed", "notes", ".hidden")],
    ("exp", 0o111),  # its entries could be opened, but not listed
    ("exp", 0o444),  # its entries can be listed, but not opened
]


@pytest.mark.parametrize(("folder", "mode"), UNREADABLE)
def test_unreadable_directory_is_an_error_that_names_it(folder: str, mode: int, root: Path) -> None:
    with closed(root / folder, mode), pytest.raises(ConfigError) as caught:
        merge_runs(root, "*", "student")
    assert str(caught.value).startswith(f"{root / folder}: cannot be read (Permission denied)")


EXCLUDED = [
    *[("exp/X", pattern) for pattern in ("exp/Y", "exp/Y*", "exp/Y?", "exp/Y[0-9]")],
    *[(folder, "exp/Y*") for folder in ("exp/X/trials", "exp/X/failed", "notes", ".hidden")],
]


@pytest.mark.parametrize(("folder", "pattern"), EXCLUDED)
def test_unreadable_directory_can_be_excluded_by_selecting_other_paths(
    folder: str, pattern: str, root: Path
) -> None:
    write_trial(root, "exp/Y1/trials/task_t0_ab")
    with closed(root / folder):
        runs = merge_runs(root, pattern, "student").runs
    assert runs
    assert set(runs) <= {"exp/Y", "exp/Y1"}


@pytest.mark.parametrize("pattern", ["*", "Y", "exp/*", "*/Y", "?xp/Y"])
def test_unreadable_directory_is_an_error_if_the_glob_could_match_below(pattern: str, root: Path) -> None:
    with closed(root / "exp/X"), pytest.raises(ConfigError, match="exp/X: cannot be read"):
        find_runs(root, pattern)


def test_root_below_an_unreadable_directory_is_an_error(root: Path) -> None:
    with closed(root / "exp"), pytest.raises(ConfigError, match="no such directory"):
        find_runs(root / "exp/X")


def test_link_into_an_unreadable_directory_is_an_error_because_it_may_be_a_run(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (root / "link").symlink_to(elsewhere / "below")
    with closed(elsewhere), pytest.raises(ConfigError, match="link: cannot be read"):
        find_runs(root)


def test_link_into_an_unreadable_directory_is_a_trial(root: Path) -> None:
    (root / "exp/X/trials/task_t1_ab").symlink_to(root / "notes/below")
    with closed(root / "notes"):
        assert [trial.traj_i for trial in list_trials(root, run_at("exp/X"))] == [0, 1]


def test_unreadable_traceback_is_a_failed_rollout_with_the_error_as_detail(root: Path) -> None:
    with closed(root / "exp/X/failed/gone.txt"):
        (failed,) = failed_rollouts(root, [run_at("exp/X")], [])
    assert (failed.task_id, failed.detail) == ("gone", "failed/gone.txt: Permission denied")


def test_path_that_is_not_utf8_is_named_in_the_error(root: Path) -> None:
    (root / os.fsdecode(b"x\xff")).mkdir()
    with closed(root / os.fsdecode(b"x\xff")), pytest.raises(ConfigError, match="x\ufffd: cannot be read"):
        find_runs(root)


def test_run_that_is_deleted_meanwhile_has_no_trials_and_no_failed_rollouts(tmp_path: Path) -> None:
    assert list_trials(tmp_path, run_at("exp/X")) == []
    assert failed_rollouts(tmp_path, [run_at("exp/X")], []) == []
