"""Every run once, whatever links lie about, and no folder passed over because it can't be read."""

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
    "an alias that sorts first": (["root/m/run/trials"], {"root/a": "m/run"}, ["m/run"]),
    "an alias beside it": (["root/run1/trials"], {"root/run2": "run1"}, ["run1"]),
    "an alias of the folder above": (["root/m/run/trials"], {"root/a": "m"}, ["m/run"]),
    "an alias of an alias": (["root/z/trials"], {"root/a": "b", "root/b": "z"}, ["z"]),
    "aliases beside each other inside": (["root/m/run/trials"], {"root/m/a": "run"}, ["m/run"]),
    "only a link leads to it": (["store/run/trials"], {"root/a": "../store/run"}, ["a"]),
    "only links do": (["store/trials"], {"root/b": "../store", "root/a": "../store"}, ["a"]),
    "a link to it and one to the folder above": (
        ["store/m/trials"],
        {"root/x": "../store", "root/a": "../store/m"},
        ["a"],
    ),
    "the fewer links": (
        ["store/m/trials", "other"],
        {"root/a": "../other", "other/m": "../store/m", "root/z": "../store"},
        ["z/m"],
    ),
    "its trials are a link": (["store/trials"], {"root/a/trials": "../../store/trials"}, ["a"]),
    "its trials are another run's": (["root/z/trials"], {"root/a/trials": "../z/trials"}, ["z"]),
    "a link to the root": (["root/z/trials"], {"root/a": "."}, ["z"]),
    "a link to what holds the root": (["root/z/trials", "other/trials"], {"root/a": ".."}, ["z"]),
    "links to each other": (["root/z/trials", "root/b"], {"root/b/c": "..", "root/a": "b"}, ["z"]),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_run_counts_once_by_its_real_path(name: str, tmp_path: Path) -> None:
    folders, links, expected = LINKS[name]
    for folder in ("root", *folders):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for link, target in links.items():
        (tmp_path / link).parent.mkdir(exist_ok=True)
        (tmp_path / link).symlink_to(target)
    assert [run.path for run in find_runs(tmp_path / "root")] == expected


TRIAL = "exp/X/trials/task_t0_ab"
PLACES = (
    "", "exp", "exp/X", "exp/X/trials", "exp/X/failed", TRIAL, f"{TRIAL}/verifier", f"{TRIAL}/CAMEL_LOG_DIR"
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["loop", "loop.txt", "loop_t0_ab", "conv_loop.json"])
@pytest.mark.parametrize("target", ["itself", "gone", "a file"])
def test_a_link_that_leads_nowhere_is_no_folder(place: str, name: str, target: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    (tmp_path / "exp/X/failed").mkdir()
    ends = {"itself": name, "gone": "gone", "a file": f"{tmp_path / TRIAL}/verifier/ctrf.json/below"}
    (tmp_path / place / name).symlink_to(ends[target])
    merged = merge_runs(tmp_path, "*", "student")
    assert [trial.path for trial in merged.trials] == [TRIAL]
    assert merged.failed == ()


@pytest.mark.parametrize("name", ["trials", "failed", "X"])
def test_a_link_to_itself_in_the_place_of_a_folder_is_none(name: str, tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    (tmp_path / "exp/Y").mkdir()
    (tmp_path / "exp/Y" / name).symlink_to(name)
    assert [run.path for run in find_runs(tmp_path)] == ["exp/X"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two runs, one with a failed rollout, and folders that are none."""
    write_trial(tmp_path, TRIAL)
    write_trial(tmp_path, "exp/Y/trials/task_t0_ab")
    for name in ("exp/X/failed", "notes/below", ".hidden"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "exp/X/failed/gone.txt").write_text("OSError: gone")
    return tmp_path


@pytest.mark.parametrize("mode", [0o000, 0o111, 0o444], ids=oct)
@pytest.mark.parametrize("folder", ["exp", "exp/X", "exp/X/trials", "exp/X/failed", "notes", ".hidden"])
def test_a_folder_that_cant_be_read_is_a_wrong_setting_that_names_it(
    folder: str, mode: int, root: Path
) -> None:
    with closed(root / folder, mode), pytest.raises(ConfigError) as caught:
        merge_runs(root, "*", "student")
    if folder not in ("exp", "notes") or mode != 0o444:  # where names can be read, the first below is told
        assert str(caught.value).startswith(f"{root / folder}: can't be read (Permission denied)")


@pytest.mark.parametrize("folder", ["exp/X", "exp/X/trials", "exp/X/failed", "notes", ".hidden"])
@pytest.mark.parametrize("pattern", ["exp/Y", "exp/Y*", "exp/Y?", "exp/Y[0-9]"])
def test_it_can_be_left_out_by_naming_the_path_of_others(folder: str, pattern: str, root: Path) -> None:
    write_trial(root, "exp/Y1/trials/task_t0_ab")
    with closed(root / folder):
        runs = merge_runs(root, pattern, "student").runs
    assert runs
    assert set(runs) <= {"exp/Y", "exp/Y1"}


@pytest.mark.parametrize("pattern", ["*", "Y", "exp/*", "*/Y", "?xp/Y"])
def test_a_glob_that_could_match_below_does_not_leave_it_out(pattern: str, root: Path) -> None:
    with closed(root / "exp/X"), pytest.raises(ConfigError, match="exp/X: can't be read"):
        find_runs(root, pattern)


def test_a_root_out_of_reach_is_a_wrong_setting(root: Path) -> None:
    with closed(root / "exp"), pytest.raises(ConfigError, match="no such directory"):
        find_runs(root / "exp/X")


def test_a_link_into_a_closed_folder_may_be_a_run(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (root / "link").symlink_to(elsewhere / "below")
    with closed(elsewhere), pytest.raises(ConfigError, match="link: can't be read"):
        find_runs(root)


def test_a_link_into_a_closed_folder_is_a_trial(root: Path) -> None:
    (root / "exp/X/trials/task_t1_ab").symlink_to(root / "notes/below")
    with closed(root / "notes"):
        assert [trial.traj_i for trial in list_trials(root, run_at("exp/X"))] == [0, 1]


def test_a_traceback_that_cant_be_read_is_a_failed_rollout_that_says_so(root: Path) -> None:
    with closed(root / "exp/X/failed/gone.txt"):
        (failed,) = failed_rollouts(root, [run_at("exp/X")], [])
    assert (failed.task_id, failed.detail) == ("gone", "failed/gone.txt: Permission denied")


def test_a_path_that_is_not_utf8_is_shown(root: Path) -> None:
    (root / os.fsdecode(b"x\xff")).mkdir()
    with closed(root / os.fsdecode(b"x\xff")), pytest.raises(ConfigError, match="x\ufffd: can't be read"):
        find_runs(root)


def test_a_run_that_goes_while_it_is_looked_at_holds_nothing(tmp_path: Path) -> None:
    assert list_trials(tmp_path, run_at("exp/X")) == []
    assert failed_rollouts(tmp_path, [run_at("exp/X")], []) == []
