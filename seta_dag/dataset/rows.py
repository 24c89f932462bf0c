"""One canonical trial to its row in both variants, or to the reason why it has none (R4 to R10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seta_dag.dataset.row import TOKEN_COUNTS
from seta_dag.rollouts.conversation import conversation
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.snapshot import Snapshot, choose
from seta_dag.rollouts.trial import Trial
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.render import VARIANTS, Rendered, Variant, render
from seta_dag.tokens.tokenizer import StudentTokenizer


@dataclass(frozen=True, slots=True)
class VariantRow:
    """What the two variants of a row differ in."""

    rendered: Rendered
    tokens: Tokenized


@dataclass(slots=True)
class TrialRow:
    """What became of a canonical trial: a row in both variants, or a `reason` with a `detail`.

    `shared` holds the columns of R10 that both variants have in common.
    """

    trial: Trial
    report: Report
    reason: str | None = None
    detail: str | None = None
    flags: set[str] = field(default_factory=set)
    snapshot: str | None = None
    n_assistant_turns: int | None = None
    shared: dict[str, Any] = field(default_factory=dict)
    variants: dict[Variant, VariantRow] = field(default_factory=dict)

    def dropped(self, reason: str, detail: str | None = None) -> TrialRow:
        """This trial without a row."""
        self.reason, self.detail = reason, detail
        self.variants.clear()
        return self


def build_rows(
    root: Path, trials: Iterable[tuple[Trial, Report]], student: StudentTokenizer
) -> list[TrialRow]:
    """The rows of a task's canonical trials, in the order given."""
    return [_build_row(root, trial, report, student) for trial, report in trials]


def _build_row(root: Path, trial: Trial, report: Report, student: StudentTokenizer) -> TrialRow:
    row = TrialRow(trial, report, flags={"ctrf_mismatch"} if report.mismatch else set())
    if report.reason is not None:
        return row.dropped(report.reason, report.detail)
    chosen = choose(root / trial.path)
    if chosen is None:
        return row.dropped("no_conversation", "no usable log below CAMEL_LOG_DIR")
    return _fill(row, root, chosen, student)


def _fill(row: TrialRow, root: Path, chosen: Snapshot, student: StudentTokenizer) -> TrialRow:
    row.snapshot = chosen.path.name
    row.flags |= {"log_skipped"} if chosen.log_skipped else set()
    try:
        talk = conversation(chosen.log)
    except RecursionError:
        return row.dropped("no_conversation", f"{row.snapshot}: nested too deep")
    row.flags |= talk.flags
    row.n_assistant_turns = talk.n_assistant_turns
    row.shared = _shared(row, root, chosen, talk.n_messages)
    if not talk.n_assistant_turns:
        return row.dropped("no_assistant_turn", f"{row.snapshot} has no assistant turn")
    rendered = {variant: render(talk, variant) for variant in VARIANTS}
    if any(one.has_literal_markup for one in rendered.values()):
        row.flags.add("literal_markup")
    tokens = student.tokenize(list(rendered.values()))
    for (variant, one), tokenized in zip(rendered.items(), tokens, strict=True):
        row.variants[variant] = VariantRow(one, tokenized)
    return row


def _shared(row: TrialRow, root: Path, chosen: Snapshot, n_messages: int) -> dict[str, Any]:
    model = chosen.log.get("model")
    return {
        "task_id": row.trial.task_id,
        "trial_uid": row.trial.uid,
        "reward": row.report.reward,
        "model": model if isinstance(model, str) else None,
        "conv_json_path": chosen.path.relative_to(root).as_posix(),
        "provider_token_counts": provider_token_counts(chosen.log),
        "n_messages": n_messages,
        "raw_conv_json": chosen.data.decode("utf-8-sig"),
    }


def provider_token_counts(log: dict[str, Any]) -> dict[str, int | None]:
    """`response.usage` of the log; `cached_tokens` at its top level, else in `prompt_tokens_details`."""
    response = log.get("response")
    usage = response.get("usage") if isinstance(response, dict) else None
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("prompt_tokens_details")
    if usage.get("cached_tokens") is None and isinstance(details, dict):
        usage = {**usage, "cached_tokens": details.get("cached_tokens")}
    return {name: _int64(usage.get(name)) for name in TOKEN_COUNTS}


def _int64(value: Any) -> int | None:
    return value if type(value) is int and -(2**63) <= value < 2**63 else None
