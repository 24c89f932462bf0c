"""Exactly one trial per (chain, task, trajectory) is canonical, in any order of listing (R2)."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.rollouts.listing.trials import Trial, run_at
from seta_dag.rollouts.resume_chain import canonical, verified_on_disk

ORDER = ("X", "X_resume", "X_resume_2", "X_resume_10", "Y", "Y_resume")
"""The runs of two chains, from the first to the last of each."""


def trial(run: str, uid: str, task: str | None = "task", traj: int | None = 0) -> Trial:
    """Return a trial of the run with this path."""
    return Trial(run_at(run).chain, run, uid, task, traj)


TRIALS = st.builds(
    trial,
    st.sampled_from(ORDER),
    st.sampled_from(["u1", "u2", "u3"]),
    st.sampled_from(["task", "other"]),
    st.integers(0, 1),
)


def group_of(one: Trial) -> tuple[str, str, int]:
    """Return (chain, task, trajectory)."""
    return one.chain, str(one.task_id), int(one.traj_i or 0)


@given(trials=st.lists(TRIALS, unique=True, max_size=12), verified=st.sets(TRIALS))
def test_exactly_one_trial_of_each_group_is_canonical(trials: list[Trial], verified: set[Trial]) -> None:
    chosen = [group_of(one) for one in canonical(trials, verified.__contains__)]
    assert sorted(chosen) == sorted(set(map(group_of, trials)))


@given(trials=st.lists(TRIALS, unique=True, max_size=12), verified=st.sets(TRIALS))
def test_canonical_trial_is_the_last_verified_one_or_else_the_last(
    trials: list[Trial], verified: set[Trial]
) -> None:
    chosen = canonical(trials, verified.__contains__)
    for _, group in groupby(sorted(trials, key=group_of), group_of):
        ordered = sorted(group, key=lambda one: (ORDER.index(one.run), one.uid))
        preferred = [one for one in ordered if one in verified] or ordered
        assert chosen.intersection(ordered) == {preferred[-1]}


@given(trials=st.lists(TRIALS, unique=True, max_size=12), verified=st.sets(TRIALS), data=st.data())
def test_the_order_of_listing_does_not_matter(
    trials: list[Trial], verified: set[Trial], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(trials))
    assert canonical(shuffled, verified.__contains__) == canonical(trials, verified.__contains__)


def test_runs_with_equal_numbers_are_sorted_by_name() -> None:
    trials = [trial("X_resume_1", "a"), trial("X_resume", "b"), trial("X_resume_01", "c")]
    assert canonical(trials, lambda _: False) == {trials[0]}


def test_runs_of_different_experiments_are_different_chains() -> None:
    trials = [trial("exp/X", "a"), trial("exp2/X_resume", "a"), trial("X", "a")]
    assert canonical(trials, lambda _: True) == set(trials)


def test_trial_with_a_bad_name_is_never_canonical() -> None:
    assert canonical([trial("X", "notes", None, None)], lambda _: True) == set()


# Reports, and whether they give a reward.
VERIFIED = {
    '{"results": {"summary": {"tests": 2, "passed": 0}}}': True,
    '{"results": {"tests": [{"status": "failed"}]}}': True,
    '{"results": {"summary": {"tests": 0, "passed": 0}}}': False,
    '{"results": {"tests": []}}': False,
    '{"results": {"sum': False,
    "": False,
}


@pytest.mark.parametrize("report", VERIFIED)
def test_trial_is_verified_if_its_report_gives_a_reward(report: str, tmp_path: Path) -> None:
    one = trial("X", "task_t0_ab")
    path = tmp_path / one.path / "verifier/ctrf.json"
    path.parent.mkdir(parents=True)
    path.write_text(report)
    assert verified_on_disk(tmp_path)(one) == VERIFIED[report]


def test_trial_without_a_report_is_not_verified(tmp_path: Path) -> None:
    assert not verified_on_disk(tmp_path)(trial("X", "task_t0_ab"))
