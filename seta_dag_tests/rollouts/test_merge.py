"""All runs are merged into one table, which is read back as it was written (R1, R2)."""

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
    """Two runs of one chain and one of another."""
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


def merge(root: Path, pattern: str = "*") -> Merged:
    """Merge the runs that match."""
    return merge_runs(root, pattern, "student")


def test_every_trial_is_listed_once(root: Path) -> None:
    paths = [trial.path for trial in merge(root).trials]
    assert paths == sorted(path.relative_to(root).as_posix() for path in root.glob("exp/*/trials/*"))


def test_canonical_trials_are_the_last_verified_ones(root: Path) -> None:
    assert merge(root).canonical == {
        "exp/X/trials/kept_t0_ab",
        "exp/X_resume/trials/again_t0_cd",
        "exp/X/trials/worse_t0_ab",
        "exp/Y/trials/kept_t0_ab",
    }


def test_task_has_its_trials_of_all_runs(root: Path) -> None:
    tasks = {task: [trial.path for trial in trials] for task, trials in merge(root).of_task().items()}
    assert tasks == {
        "again": ["exp/X/trials/again_t0_ab", "exp/X_resume/trials/again_t0_cd"],
        "kept": ["exp/X/trials/kept_t0_ab", "exp/Y/trials/kept_t0_ab"],
        "worse": ["exp/X/trials/worse_t0_ab", "exp/X_resume/trials/worse_t0_cd"],
    }
    assert list(merge(root).fingerprints) == sorted(tasks)


def test_failed_rollouts_are_listed(root: Path) -> None:
    assert merge(root).failed == (FailedRollout("exp/X", "exp/X", "gone", "OSError: 数据 \ud7ff"),)


def test_glob_excludes_runs(root: Path) -> None:
    merged = merge(root, "X")
    assert merged.runs == ("exp/X",)
    assert "exp/X/trials/again_t0_ab" in merged.canonical


def test_report_written_during_the_merge_changes_the_next_fingerprint(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the task would count as built, although another trial is canonical."""

    def write_report_first(rollouts: Path) -> Callable[[Trial], bool]:
        write_trial(root, "exp/X_resume/trials/worse_t0_cd")
        return verified_on_disk(rollouts)

    with monkeypatch.context() as patch:
        patch.setattr("seta_dag.rollouts.merge.verified_on_disk", write_report_first)
        before = merge(root)
    assert merge(root).fingerprints["worse"] != before.fingerprints["worse"]


def test_merged_runs_are_read_back_as_written(root: Path) -> None:
    write_merged(root / "out/merged.json", merge(root))
    assert read_merged(root / "out/merged.json") == merge(root)


def test_missing_file_is_an_error_that_names_its_stage(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match="materialize resume_chain"):
        read_merged(tmp_path / "merged.json")


def test_root_without_runs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        merge(tmp_path)
