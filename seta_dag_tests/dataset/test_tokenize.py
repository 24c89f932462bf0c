"""The tokens stage: a stage file is of the very input that its fingerprint says, or there is none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.dataset.rows import RowMaker
from seta_dag.dataset.tokenize import tokenize_tasks
from seta_dag.rollouts.merged import merge_runs
from seta_dag.rollouts.reports import parse_tasks
from seta_dag.stages import failures
from seta_dag_tests.support.builds import Place, take, trial

TASK = "multi_traj_task"


def log_grows(root: Path) -> None:
    max(trial(root, f"{TASK}_t0").rglob("conv_*.json")).write_text('{"request": {}}')


def trial_goes(root: Path) -> None:
    shutil.rmtree(trial(root, f"{TASK}_t0"))


def report_changes(root: Path) -> None:
    (trial(root, f"{TASK}_t0") / "verifier/ctrf.json").write_text("{}")


def nothing(root: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "merged_for", "fails"),
    [
        (nothing, "", False),
        (log_grows, "", True),
        (trial_goes, "", True),
        (report_changes, "", True),
        (nothing, "another", True),
    ],
)
def test_what_changed_since_the_merge_is_no_stage_file(
    change: Callable[[Path], None], merged_for: str, fails: bool, tmp_path: Path, maker: RowMaker
) -> None:
    place = Place(tmp_path)
    take(place.rollouts / "exp/kimi", TASK)
    merged = merge_runs(place.rollouts, "*", merged_for or maker.student)
    parse_tasks(place.out, place.rollouts, merged, [TASK])
    change(place.rollouts)
    report = tokenize_tasks(place.out, place.rollouts, merged, maker, [TASK])
    sentence = "tokens: ChangedError: its rollouts or the student changed while it was built; build again"
    expected = {TASK: sentence} if fails else {}
    assert report.failed == failures(place.out, merged.fingerprints) == expected
    assert bool(place.out.built("tokens")) is not fails
