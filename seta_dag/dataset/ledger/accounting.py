"""Account for every trial directory and every failed rollout: one ledger line each (rule R11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seta_dag.dataset.filters.base import Signals
from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.rollouts.collect_trials import COLLECTED, CollectedTrial
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.parse_reports import REPORTS, TrialReport
from seta_dag.rollouts.reasons import Reason
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.built import failures
from seta_dag.tokens.outcomes import OUTCOMES, TrialOutcome
from seta_dag.tokens.variants import VARIANTS

_Trajectory = tuple[str, int | None]  # chain, trajectory number
_Columns = dict[str, Any]


def account(out: OutputLayout, merged: Merged, filters: Filters) -> list[LedgerLine]:
    """Return the ledger's lines, from the merge and from what the stages under `out` hold."""
    lines = [
        _dropped(_line(trial), Reason.BAD_NAME, "its name is not TASK_tN_HASH")
        for trial in merged.trials
        if trial.task_id is None
    ]
    lines += [_rollout_failed(rollout) for rollout in merged.failed]
    collected = COLLECTED.built(out, merged.fingerprints)
    reported, built = REPORTS.built(out, merged.fingerprints), OUTCOMES.built(out, merged.fingerprints)
    failed = failures(out, merged.fingerprints)
    for task, trials in merged.of_task().items():
        reports = _reports(reported.get(task, ()), collected.get(task, ()))
        if task in failed:
            lines += _failed_task(merged, trials, reports, failed[task])
        else:  # outcomes without reports are left over from an earlier build of the same task
            outcomes = built.get(task, ()) if reports else ()
            lines += _task_lines(merged, trials, reports, outcomes, filters)
    return lines


def _failed_task(
    merged: Merged, trials: list[Trial], reports: Mapping[str, _Columns], sentence: str
) -> Iterator[LedgerLine]:
    replacing = _canonical(merged, trials)
    for trial, line in _with_reports(trials, reports):
        if trial.path in merged.canonical:
            yield _dropped(line, Reason.TASK_FAILED, sentence)
        else:
            yield _superseded(line, trial, replacing)


def _task_lines(
    merged: Merged,
    trials: list[Trial],
    reports: Mapping[str, _Columns],
    outcomes: Sequence[TrialOutcome],
    filters: Filters,
) -> Iterator[LedgerLine]:
    of_trial = {(outcome.run, outcome.trial_uid): outcome for outcome in outcomes}
    replacing = _canonical(merged, trials)
    for trial, line in _with_reports(trials, reports):
        outcome = of_trial.get((trial.run, trial.uid))
        if trial.path not in merged.canonical:
            yield _superseded(line, trial, replacing)
        elif outcome is None:
            yield _dropped(line, Reason.NOT_BUILT, "materialize this task, or run: seta-dag build")
        else:
            yield _decided(line, outcome, filters)


def _canonical(merged: Merged, trials: Iterable[Trial]) -> dict[_Trajectory, str]:
    """Return the path of the canonical trial of each trajectory; `trials` are those of one task."""
    return {(trial.chain, trial.traj_i): trial.path for trial in trials if trial.path in merged.canonical}


def _superseded(line: LedgerLine, trial: Trial, replacing: Mapping[_Trajectory, str]) -> LedgerLine:
    detail = f"replaced by {replacing[trial.chain, trial.traj_i]}"
    return replace(line, disposition="superseded", detail=detail)


def _with_reports(trials: list[Trial], reports: Mapping[str, _Columns]) -> Iterator[tuple[Trial, LedgerLine]]:
    return ((trial, replace(_line(trial), **reports.get(trial.path, {}))) for trial in trials)


def _decided(line: LedgerLine, outcome: TrialOutcome, filters: Filters) -> LedgerLine:
    """Complete the line of a built trial: dropped by the build, dropped by a filter, or a row."""
    line = replace(
        line,
        snapshot=outcome.snapshot,
        n_messages=None if outcome.columns is None else outcome.columns.n_messages,
        n_assistant_turns=outcome.n_assistant_turns,
        n_reasoning_turns=outcome.n_reasoning_turns,
        reasoning_logged=outcome.reasoning_logged,
        flags=outcome.flags,
        notes=outcome.notes,
    )
    if outcome.reason is not None:
        return _dropped(line, outcome.reason, outcome.detail)
    thinking, nothink = outcome.of("thinking"), outcome.of("nothink")
    line = replace(
        line,
        thinking_tokens=thinking.local_token_count,
        thinking_trainable_tokens=thinking.n_assistant_tokens,
        nothink_tokens=nothink.local_token_count,
        nothink_trainable_tokens=nothink.n_assistant_tokens,
    )
    filtered = filters.reason(_signals(line, outcome.row.reward or 0.0))
    return _dropped(line, *filtered) if filtered else replace(line, disposition="row")


def _signals(line: LedgerLine, reward: float) -> Signals:
    return Signals(
        reward=reward,
        tokens=max(line.tokens(variant) for variant in VARIANTS),
        flags=frozenset(line.flags),
        n_messages=line.n_messages or 0,
        n_assistant_turns=line.n_assistant_turns or 0,
    )


def _line(trial: Trial) -> LedgerLine:
    return LedgerLine(trial.chain, trial.run, trial.uid, trial.task_id, trial.traj_i)


def _rollout_failed(rollout: FailedRollout) -> LedgerLine:
    line = LedgerLine(rollout.chain, rollout.run, None, rollout.task_id, None)
    return _dropped(line, Reason.ROLLOUT_FAILED, rollout.detail)


def _dropped(line: LedgerLine, reason: str, detail: str | None = None) -> LedgerLine:
    return replace(line, disposition="dropped", reason=str(reason), detail=detail)


def _reports(reports: Sequence[TrialReport], collected: Sequence[CollectedTrial]) -> dict[str, _Columns]:
    """Return the columns that come from the reports and from `run_info.json`, by path of the trial."""
    ended = {
        one.path: {"termination_reason": one.termination_reason, "error_stage": one.error_stage}
        for one in collected
    }
    return {
        one.path: {
            "reward": one.report.reward,
            "passed": one.passed,
            "total": one.total,
            **ended.get(one.path, {}),
        }
        for one in reports
    }
