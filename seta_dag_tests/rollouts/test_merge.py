"""The merge of all runs (R1, R2), and that it is read back as it was kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.errors import ConfigError, NotBuiltError
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged, merge_runs, read_merged, write_merged
from seta_dag.rollouts.resume_chain import verified_on_disk
from seta_dag_tests.support.rollouts import write_trial


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two runs of a chain and one of another."""
    write_trial(tmp_path, "exp/X/trials/kept_t0_ab")
    write_trial(tmp_path, "exp/X/trials/again_t0_ab", verified=False)
    write_trial(tmp_path, "exp/X_resume/trials/again_t0_cd")
    write_trial(tmp_path, "exp/X/trials/worse_t0_ab")
    write_trial(tmp_path, "exp/X_resume/trials/worse_t0_cd", verified=False)
    write_trial(tmp_path, "exp/Y/trials/kept_t0_ab")
    write_trial(tmp_path, "exp/Y/trials/notes")
    for task in ("gone", "kept"):
        (tmp_path / "exp/X/failed").mkdir(exist_ok=True)
        (tmp_path / f"exp/X/failed/{task}.txt").write_text("OSError: 数据 \ud7ff")
    return tmp_path


def merged_of(root: Path, pattern: str = "*") -> Merged:
    """The merge of the runs that match."""
    return merge_runs(root, pattern, "student")


def test_every_trial_is_listed_once(root: Path) -> None:
    paths = [trial.path for trial in merged_of(root).trials]
    assert paths == sorted(path.relative_to(root).as_posix() for path in root.glob("exp/*/trials/*"))


def test_canonical_trials_are_the_last_verified_ones(root: Path) -> None:
    assert merged_of(root).canonical == {
        "exp/X/trials/kept_t0_ab",
        "exp/X_resume/trials/again_t0_cd",
        "exp/X/trials/worse_t0_ab",
        "exp/Y/trials/kept_t0_ab",
    }


def test_a_task_holds_its_trials_of_all_runs(root: Path) -> None:
    tasks = {task: [trial.path for trial in trials] for task, trials in merged_of(root).of_task().items()}
    assert tasks == {
        "again": ["exp/X/trials/again_t0_ab", "exp/X_resume/trials/again_t0_cd"],
        "kept": ["exp/X/trials/kept_t0_ab", "exp/Y/trials/kept_t0_ab"],
        "worse": ["exp/X/trials/worse_t0_ab", "exp/X_resume/trials/worse_t0_cd"],
    }
    assert list(merged_of(root).fingerprints) == sorted(tasks)


def test_failed_rollouts_are_listed(root: Path) -> None:
    assert merged_of(root).failed == (FailedRollout("exp/X", "exp/X", "gone", "OSError: 数据 \ud7ff"),)


def test_a_glob_leaves_runs_out(root: Path) -> None:
    merged = merged_of(root, "X")
    assert merged.runs == ("exp/X",)
    assert "exp/X/trials/again_t0_ab" in merged.canonical


def test_a_report_that_comes_while_runs_are_merged_shows_the_next_time(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the task would look built with another canonical trial."""

    def come_first(at: Path) -> Callable[[Trial], bool]:
        write_trial(root, "exp/X_resume/trials/worse_t0_cd")
        return verified_on_disk(at)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("seta_dag.rollouts.merge.verified_on_disk", come_first)
        before = merged_of(root)
    assert merged_of(root).fingerprints["worse"] != before.fingerprints["worse"]


def test_the_merge_is_read_back_as_it_was_kept(root: Path) -> None:
    write_merged(root / "out/merged.json", merged_of(root))
    assert read_merged(root / "out/merged.json") == merged_of(root)


def test_a_merge_that_is_not_there_names_its_stage(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match="materialize resume_chain"):
        read_merged(tmp_path / "merged.json")


def test_no_rollouts_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        merged_of(tmp_path)
