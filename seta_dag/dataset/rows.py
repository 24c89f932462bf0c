"""One canonical trial to its row in both variants, or to the reason why it has none (R4 to R10)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seta_dag.dataset.row import TOKEN_COUNTS
from seta_dag.rollouts.conversation import Conversation, conversation
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.readable import clean
from seta_dag.rollouts.snapshot import Snapshot, choose
from seta_dag.rollouts.trial import Trial
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.prove import Prover, sampled
from seta_dag.tokens.render import VARIANTS, Rendered, Variant, render


@dataclass(frozen=True, slots=True)
class VariantRow:
    """What the two variants of a row differ in. `proof` is the digest of what was proved, see `digest`."""

    rendered: Rendered
    tokens: Tokenized
    literal: bool
    proof: str


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
    against_reference: bool = False
    snapshot: str | None = None
    n_assistant_turns: int | None = None
    shared: dict[str, Any] = field(default_factory=dict)
    variants: dict[Variant, VariantRow] = field(default_factory=dict)

    def dropped(self, reason: str, detail: str | None = None) -> TrialRow:
        """This trial without a row."""
        self.reason, self.detail = reason, detail
        self.variants.clear()
        return self


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes rows and proves them. `share` of the trials, and every flagged one, is held against the
    reference engine too."""

    prover: Prover
    share: float

    @property
    def student(self) -> str:
        """What the rows depend on of the student."""
        return self.prover.student.identity

    def tokenize(self, row: TrialRow, talk: Conversation) -> TrialRow:
        """Fills in both variants, or drops the trial where a proof of either fails."""
        rendered = {variant: render(talk, variant) for variant in VARIANTS}
        literal = {variant: one.has_literal_markup for variant, one in rendered.items()}
        row.flags |= {"literal_markup"} if any(literal.values()) else set()
        row.against_reference = bool(row.flags) or sampled(row.trial.uid, self.share)
        tokens = self.prover.tokenizer.tokenize(list(rendered.values()))
        for (variant, one), made in zip(rendered.items(), tokens, strict=True):
            fault = self.prover.prove(
                talk, one, made, variant, literal=literal[variant], against_hf=row.against_reference
            )
            if fault is not None:
                return row.dropped("not_exact", f"{variant}: {fault}")
            proof = digest(one.text, made.ids.tobytes(), made.mask.tobytes())
            row.variants[variant] = VariantRow(one, made, literal[variant], proof)
        return row


def digest(text: str, ids: bytes, mask: bytes) -> str:
    """What identifies a proved row: its text, its ids as int32 and its mask as int8, little-endian."""
    return hashlib.blake2b(text.encode() + ids + mask, digest_size=16).hexdigest()


def build_rows(root: Path, trials: Iterable[tuple[Trial, Report]], maker: RowMaker) -> list[TrialRow]:
    """The rows of a task's canonical trials, in the order given."""
    return [_build_row(root, trial, report, maker) for trial, report in trials]


def _build_row(root: Path, trial: Trial, report: Report, maker: RowMaker) -> TrialRow:
    row = TrialRow(trial, report, flags={"ctrf_mismatch"} if report.mismatch else set())
    if report.reason is not None:
        return row.dropped(report.reason, report.detail)
    chosen = choose(root / trial.path)
    if chosen is None:
        return row.dropped("no_conversation", "no usable log below CAMEL_LOG_DIR")
    return _fill(row, root, chosen, maker)


def _fill(row: TrialRow, root: Path, chosen: Snapshot, maker: RowMaker) -> TrialRow:
    row.snapshot = clean(chosen.path.name)
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
    return maker.tokenize(row, talk)


def _shared(row: TrialRow, root: Path, chosen: Snapshot, n_messages: int) -> dict[str, Any]:
    model = chosen.log.get("model")
    return {
        "task_id": row.trial.task_id,
        "trial_uid": row.trial.uid,
        "reward": row.report.reward,
        "model": clean(model) if isinstance(model, str) else None,
        "conv_json_path": clean(chosen.path.relative_to(root).as_posix()),
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
