"""R11: every trial directory and every failed rollout becomes one line of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import LEDGER_SCHEMA
from seta_dag.executor.stage import failures, records
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.parse_reports import reports_in
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import TrialOutcome
from seta_dag.tokens.variants import VARIANTS

LedgerLine = dict[str, Any]


def account(out: OutputLayout, merged: Merged, filters: Filters) -> list[LedgerLine]:
    """The ledger's lines, from the merge and the stage files of the tasks under `out`."""
    lines = [
        _dropped(_line(trial), "bad_name", "its name is not TASK_tN_HASH")
        for trial in merged.trials
        if trial.task_id is None
    ]
    lines += [_rollout_failed(rollout) for rollout in merged.failed]
    reported, outcomes = (records(out, stage, merged.fingerprints) for stage in ("ctrf", "tokens"))
    failed = failures(out, merged.fingerprints)
    for task, trials in merged.of_task().items():
        reports = _reports(reported[task]) if task in reported else {}
        made = failed[task] if task in failed else orjson.loads(outcomes.get(task, b"[]")) if reports else []
        lines += _task_lines(merged, trials, reports, made, filters)
    return lines


def _task_lines(
    merged: Merged,
    trials: list[Trial],
    reports: Mapping[str, LedgerLine],
    made: str | Sequence[TrialOutcome],
    filters: Filters,
) -> Iterator[LedgerLine]:
    """The lines of a task; `made` are its outcomes, or the sentence that says why it failed."""
    outcomes = () if isinstance(made, str) else made
    of_trial = {(outcome["run"], outcome["trial_uid"]): outcome for outcome in outcomes}
    for trial in trials:
        line = {**_line(trial), **reports.get(trial.path, {})}
        outcome = of_trial.get((trial.run, trial.uid))
        if trial.path not in merged.canonical:
            yield {**line, "disposition": "superseded"}
        elif isinstance(made, str):
            yield _dropped(line, "task_failed", made)
        elif outcome is None:
            yield _dropped(line, "not_built", "materialize this task, or run: seta-dag build")
        else:
            yield _decided(line, outcome, filters)


def _decided(line: LedgerLine, outcome: Mapping[str, Any], filters: Filters) -> LedgerLine:
    seen = {name: outcome[name] for name in ("snapshot", "n_messages", "n_assistant_turns", "flags")}
    line = {**line, **seen}
    if outcome["reason"] is not None:
        return _dropped(line, outcome["reason"], outcome["detail"])
    counts = {}
    for variant in VARIANTS:
        counts[f"{variant}_tokens"] = outcome[f"{variant}.local_token_count"]
        counts[f"{variant}_trainable_tokens"] = outcome[f"{variant}.n_assistant_tokens"]
    filtered = filters.reason(outcome["reward"], max(counts[f"{variant}_tokens"] for variant in VARIANTS))
    line |= counts
    return _dropped(line, *filtered) if filtered else {**line, "disposition": "row"}


def _line(trial: Trial) -> LedgerLine:
    identity = {"chain": trial.chain, "run": trial.run, "trial_uid": trial.uid}
    empty: LedgerLine = {**dict.fromkeys(LEDGER_SCHEMA.names), "flags": []}
    return {**empty, **identity, "task_id": trial.task_id, "traj_i": trial.traj_i}


def _rollout_failed(rollout: FailedRollout) -> LedgerLine:
    line = _line(Trial(rollout.chain, rollout.run, "", rollout.task_id, None))
    return _dropped({**line, "trial_uid": None}, "rollout_failed", rollout.detail)


def _dropped(line: LedgerLine, reason: str, detail: str | None = None) -> LedgerLine:
    return {**line, "disposition": "dropped", "reason": reason, "detail": detail}


def _reports(record: bytes) -> dict[str, LedgerLine]:
    return {
        path: {"reward": report.reward, "passed": report.passed, "total": report.total}
        for path, report in reports_in(record).items()
    }
