"""What the materialization of a task says about it: its trials, rewards, rows and tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seta_dag.defs.partitions import key_of
from seta_dag.reports.printable import on_one_line, printable
from seta_dag.rollouts.collect_trials import COLLECTED, CollectedTrial
from seta_dag.rollouts.parse_reports import REPORTS, TrialReport
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import OUTCOMES, TrialOutcome
from seta_dag.tokens.variants import VARIANTS

Metadata = dict[str, Any]
_LONGEST = 300  # characters of a text


def metadata_of_tasks(
    out: OutputLayout, asset: str, fingerprints: Mapping[str, str], tasks: Iterable[str]
) -> dict[str, Metadata]:
    """Return the metadata of an asset's partitions, by partition key; numbers are numbers, to be plotted."""
    table: Any = {"trials": COLLECTED, "ctrf_reports": REPORTS, "tokens": OUTCOMES}[asset]
    lines = table.current(out, fingerprints)
    found = {}
    for task in tasks:
        if (line := lines.get(task)) is not None:
            failed = {"failed": _text(line.failure)} if line.failure else {}
            found[key_of(task)] = failed or _OF_RECORDS[asset](task, line.records)
    return found


def _collected(_: str, trials: Sequence[CollectedTrial]) -> Metadata:
    ends = Counter(one.termination_reason or "unknown" for one in trials)
    return {"trials": len(trials), "logs": sum(one.logs for one in trials), "ended": _counted(ends)}


def _reported(_: str, reports: Sequence[TrialReport]) -> Metadata:
    rewards = [one.report.reward for one in reports if one.report.reward is not None]
    reasons = Counter(str(one.reason) for one in reports if one.reason)
    return {
        "tests": sum(one.total or 0 for one in reports),
        "passed": sum(one.passed or 0 for one in reports),
        **({"reward": sum(rewards) / len(rewards)} if rewards else {}),
        **({"without a reward": _counted(reasons)} if reasons else {}),
    }


def _tokenized(task: str, outcomes: Sequence[TrialOutcome]) -> Metadata:
    rows = [one for one in outcomes if one.reason is None]
    rewards = [one.columns.reward for one in outcomes if one.columns and one.columns.reward is not None]
    dropped = [f"{one.trial_uid}: {one.reason}, {one.detail}" for one in outcomes if one.reason]
    flags = Counter(flag for one in rows for flag in one.flags)
    return {
        "trials": len(outcomes),
        "rows": len(rows),
        **({"reward": sum(rewards) / len(rewards)} if rewards else {}),
        **_tokens(rows),
        "turns": sum(one.n_assistant_turns or 0 for one in rows),
        **({"flags": _counted(flags)} if flags else {}),
        **({"dropped": _text("; ".join(dropped))} if dropped else {}),
        **({"inspect": _text(f"seta-dag inspect {rows[0].trial_uid}")} if rows else {}),
    }


def _tokens(rows: Sequence[TrialOutcome]) -> Metadata:
    return {
        f"{variant} {name}": sum(getattr(one.of(variant), column) for one in rows)
        for variant in VARIANTS
        for name, column in (("tokens", "local_token_count"), ("trainable tokens", "n_assistant_tokens"))
    }


_OF_RECORDS: dict[str, Any] = {"trials": _collected, "ctrf_reports": _reported, "tokens": _tokenized}


def _counted(counts: Mapping[str, int]) -> str:
    return _text(", ".join(f"{name} {number}" for name, number in sorted(counts.items())))


def _text(words: str) -> str:
    text = on_one_line(printable(words))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
