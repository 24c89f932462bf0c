"""Every trial has exactly one ledger line with one disposition, whatever was built (Rule R11)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from seta_dag.dataset.filters.base import Signals
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.filters.registry import reasons
from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.ledger.ledger import count_dispositions
from seta_dag.executor.stage_table import TaskLine
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.parse_reports import REPORTS
from seta_dag.rollouts.reasons import Flag
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import OUTCOMES
from seta_dag.tokens.variants import VARIANTS
from seta_dag_tests.support.damage import SEEN
from seta_dag_tests.support.made import (
    RUN,
    MadeTrial,
    drop_line,
    file_of,
    merged,
    write_stages,
)

STATES: dict[str, str | None] = {
    "built": None,
    "never built": "not_built",
    "no reports": "not_built",
    "no outcomes": "not_built",
    "rows damaged": "not_built",
    "failed": "task_failed",
}
"""State of a task's stages, and the reason its canonical trials then get."""
DROP_REASONS = (
    "not_verified",
    "ctrf_invalid",
    "no_tests",
    "no_conversation",
    "no_assistant_turn",
    "not_exact",
)

trials = st.builds(
    MadeTrial,
    task=st.sampled_from("abcd"),
    traj=st.integers(0, 3),
    reason=st.none() | st.sampled_from(DROP_REASONS),
    text=st.text("xy", max_size=4),
)
made_trials = st.lists(trials, max_size=6, unique_by=lambda made: (made.task, made.traj))
bad_names = st.lists(st.sampled_from(["notes", "x_t_ab", "\ufffd"]), max_size=2, unique=True)
failed_tasks = st.lists(st.sampled_from(["f", "g"]), max_size=2, unique=True)
all_filters = st.builds(
    Filters,
    min_reward=st.none() | st.sampled_from([0.0, 0.5, 0.75]),
    max_tokens=st.none() | st.integers(10, 20),
    drop_flag=st.sets(st.sampled_from(list(Flag)), max_size=2).map(tuple),
)


@settings(max_examples=60)
@given(
    made=made_trials, resumed=st.sets(st.integers(0, 5), max_size=3), bad=bad_names, gone=failed_tasks,
    filters=all_filters, data=st.data(),
)  # fmt: skip
def test_rows_superseded_and_dropped_add_up_to_all_trials(
    made: list[MadeTrial], resumed: set[int], bad: list[str], gone: list[str], filters: Filters,
    data: st.DataObject,
) -> None:  # fmt: skip
    superseded = {_earlier(one): one for index, one in enumerate(made) if index in resumed}
    others = [*superseded, *(Trial(RUN, RUN, name, None, None) for name in bad)]
    merge = merged(made, others, [FailedRollout(RUN, RUN, task, "OSError: x") for task in gone])
    states = {task: data.draw(st.sampled_from(sorted(STATES)), label=task) for task in merge.fingerprints}
    with TemporaryDirectory() as folder:
        out = OutputLayout(Path(folder))
        write_stages(out, made, merge, [task for task in states if states[task] != "never built"])
        for task, state in states.items():
            put_in_state(out, merge.fingerprints[task], task, state)
        lines = account(out, merge, filters)
    assert sum(count_dispositions(lines).values()) == len(lines) == len(merge.trials) + len(gone)
    of_uid = {(line.run, line.trial_uid): line for line in lines if line.trial_uid is not None}
    assert len(of_uid) == len(merge.trials)
    for line in lines:
        assert (line.disposition == "dropped") == (line.reason in reasons())
        assert (line.disposition == "row") <= all(line.tokens(variant) for variant in VARIANTS)
    for trial, one in superseded.items():
        line = of_uid[trial.run, trial.uid]
        assert (line.disposition, line.detail) == ("superseded", f"replaced by {one.trial.path}")
    for one in made:
        expected = STATES[states[one.task]] or one.reason or _filter_reason(one, filters)
        assert of_uid[one.run, one.trial.uid].reason == expected


def _earlier(one: MadeTrial) -> Trial:
    """Return a trial of the same trajectory, which the merge supersedes."""
    return Trial(RUN, f"{RUN}_resume", f"{one.task}_t{one.traj}_cd", one.task, one.traj)


def put_in_state(out: OutputLayout, fingerprint: str, task: str, state: str) -> None:
    """Damage the built stages of a task so that they are in `state`."""
    if state == "no reports":
        drop_line(out, REPORTS, task)
    elif state == "no outcomes":
        drop_line(out, OUTCOMES, task)
    elif state == "rows damaged":
        SEEN["cut"](file_of(out, task))
    elif state == "failed":
        lines = {line.task: line for line in OUTCOMES.read(out)}
        lines[task] = TaskLine(task, fingerprint, (), failure="tokens: KeyError: 'x'")
        OUTCOMES.write(out.table("tokens"), lines.values())


def _filter_reason(one: MadeTrial, filters: Filters) -> str | None:
    """Return the reason for which the filters drop the row, or None."""
    longest = max(len(one.text_of(variant)) for variant in VARIANTS)
    found = filters.reason(Signals(0.5, longest, frozenset(), 0, 0))
    return found and found[0]


def line_of(out: OutputLayout, one: MadeTrial, filters: Filters | None = None) -> dict[str, object]:
    """Return the non-empty values of the ledger line of a merge with one trial."""
    merge = merged([one])
    write_stages(out, [one], merge)
    (line,) = account(out, merge, filters or Filters())
    return {name: value for name, value in asdict(line).items() if value not in (None, ())}


IDENTITY = {"chain": RUN, "run": RUN, "trial_uid": "a_t0_ab", "task_id": "a", "traj_i": 0}
LOG_COUNTS = {
    "termination_reason": "completed",
    "snapshot": "conv_1.json",
    "n_messages": 2,
    "n_assistant_turns": 1,
}
REPORT = {"reward": 0.5, "passed": 1, "total": 2}


def test_a_row_has_its_token_counts(tmp_path: Path) -> None:
    counts = {"thinking_tokens": 20, "thinking_trainable_tokens": 10}
    counts |= {"nothink_tokens": 19, "nothink_trainable_tokens": 10}
    assert line_of(OutputLayout(tmp_path), MadeTrial("a")) == {
        **IDENTITY, **LOG_COUNTS, **REPORT, **counts, "disposition": "row",
    }  # fmt: skip


def test_a_dropped_trial_keeps_its_log_counts_and_report(tmp_path: Path) -> None:
    assert line_of(OutputLayout(tmp_path), MadeTrial("a", reason="not_exact")) == {
        **IDENTITY, **LOG_COUNTS, **REPORT,
        "disposition": "dropped", "reason": "not_exact", "detail": "thinking: not_exact",
    }  # fmt: skip


def test_a_filtered_row_keeps_its_token_counts(tmp_path: Path) -> None:
    line = line_of(OutputLayout(tmp_path), MadeTrial("a"), Filters(max_tokens=19))
    assert line["reason"] == "too_many_tokens" and line["detail"] == "20 tokens are more than 19"
    assert line["nothink_tokens"] == 19


def test_the_line_of_an_unbuilt_task_says_what_to_run(tmp_path: Path) -> None:
    (line,) = account(OutputLayout(tmp_path), merged([MadeTrial("a")]), Filters())
    assert line.reason == "not_built" and "seta-dag build" in line.detail


def test_a_failed_rollout_has_no_uid(tmp_path: Path) -> None:
    merge = merged([], failed=[FailedRollout(RUN, RUN, "f", "OSError: x")])
    (line,) = account(OutputLayout(tmp_path), merge, Filters())
    assert (line.task_id, line.trial_uid, line.traj_i) == ("f", None, None)
    assert (line.reason, line.detail) == ("rollout_failed", "OSError: x")
