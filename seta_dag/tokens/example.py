"""One canonical trial to its row in both variants, or to the reason why it has none (R4 to R10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from xxhash import xxh3_128

from seta_dag.executor.workers import Deferred
from seta_dag.rollouts import json_reader
from seta_dag.rollouts.conversation import Conversation
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.dialects import Borrowed, conversation
from seta_dag.rollouts.sources.snapshot import choose
from seta_dag.tokens.log_columns import raw_log, short_values
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.proofs.prover import Prover, sampled
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student.engines import Known
from seta_dag.tokens.task_file import TaskFile
from seta_dag.tokens.variants import VARIANTS, Variant

_LONG = 50_000_000  # bytes of a log that is read again rather than held


@dataclass(slots=True)
class TrialRow:
    """What became of a canonical trial: a row in both variants, or a `reason` with a `detail`.

    `small` holds the short columns of R10, and for each variant its counts and its `proof`: the digest of
    what was proved. `at` is the place of the row's first batch in the task's file.
    """

    trial: Trial
    report: Report
    reason: str | None = None
    detail: str | None = None
    flags: set[str] = field(default_factory=set)
    against_reference: bool = False
    snapshot: str | None = None
    n_assistant_turns: int | None = None
    at: int = 0
    small: dict[str, Any] = field(default_factory=dict)

    def dropped(self, reason: str, detail: str | None = None) -> TrialRow:
        """This trial without a row."""
        self.reason, self.detail = reason, detail
        return self


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes rows and proves them. `share` of the trials, and every flagged one, is held against the
    reference engine too."""

    prover: Prover
    share: float
    turn: Lock = field(default_factory=Lock)
    """Held by the one thread that makes rows: two at it hinder each other more than they get done, since most
    of it is Python. The reference engine, which needs no lock of Python's, works beside it."""

    @property
    def student(self) -> str:
        """What the rows depend on of the student."""
        return self.prover.student.identity

    def tokenize(
        self, row: TrialRow, talk: Callable[[], Conversation], file: TaskFile, later: Deferred
    ) -> TrialRow:
        """Adds both variants to the file, or drops the trial where a proof of either fails.

        `talk` gives the conversation, once for each variant. The proof by the reference engine is left to
        `later`, and may drop the trial then.
        """
        known: Known = {}
        for variant in VARIANTS:
            fault = self._add_variant(row, talk(), variant, known, file, later)
            if fault is not None:
                return row.dropped("not_exact", f"{variant}: {fault}")
        return row

    def _add_variant(
        self,
        row: TrialRow,
        talk: Conversation,
        variant: Variant,
        known: Known,
        file: TaskFile,
        later: Deferred,
    ) -> str | None:
        rendered = render(talk, variant)
        talk = talk.assistant_only()
        literal = rendered.has_literal_markup
        row.flags |= {"literal_markup"} if literal else set()
        row.against_reference = bool(row.flags) or sampled(row.trial.uid, self.share)
        (made,) = self.prover.tokenizer.tokenize([rendered])
        if row.against_reference:
            later.add(len(rendered.utf8), lambda: self._agree(row, variant, rendered, made, known))
        fault = self.prover.prove(talk, rendered, made, variant, literal=literal)
        if fault is None:
            file.add(rendered.utf8, made.ids, made.spans)
            row.small |= {
                f"{variant}.local_token_count": len(made.ids),
                f"{variant}.n_assistant_tokens": made.n_trainable,
                f"{variant}.literal_markup": literal,
                f"{variant}.proof": digest(rendered.utf8, made.ids, made.mask),
            }
        return fault

    def _agree(
        self, row: TrialRow, variant: Variant, rendered: Rendered, made: Tokenized, known: Known
    ) -> None:
        fault = self.prover.engines_agree(rendered, made, known)
        if fault is not None and row.reason is None:
            row.dropped("not_exact", f"{variant}: {fault}")


def digest(text: Any, ids: Any, mask: Any) -> str:
    """What identifies a proved row: its text, its ids as int32 and its mask as int8, little-endian.

    Each is anything that gives its bytes as a buffer.
    """
    found = xxh3_128(text)
    found.update(ids)
    found.update(mask)
    return found.hexdigest()


def build_row(
    root: Path, trial: Trial, report: Report, maker: RowMaker, file: TaskFile, later: Deferred
) -> TrialRow:
    """The row of a canonical trial, its long columns added to the task's file."""
    row = TrialRow(trial, report, flags={"ctrf_mismatch"} if report.mismatch else set(), at=file.added)
    if report.reason is not None:
        return row.dropped(report.reason, report.detail)
    chosen = choose(root / trial.path)
    if chosen is None:
        return row.dropped("no_conversation", "no usable log below CAMEL_LOG_DIR")
    row.snapshot = clean(chosen.path.name)
    row.flags |= {"log_skipped"} if chosen.log_skipped else set()
    try:
        talk = conversation(chosen.log, chosen.borrowed)
    except RecursionError:
        return row.dropped("no_conversation", f"{row.snapshot}: nested too deep")
    row.flags |= talk.flags | {note.flag for note in chosen.notes}
    row.n_assistant_turns = talk.n_assistant_turns
    row.small = short_values(root, trial, report, chosen, talk.n_messages)
    if not talk.n_assistant_turns:
        return row.dropped("no_assistant_turn", f"{row.snapshot} has no assistant turn")
    file.add(raw_log(chosen))
    is_long = len(chosen.data) >= _LONG
    talks = partial(_read_again, chosen.path, chosen.borrowed) if is_long else partial(_held, talk)
    del chosen, talk  # in memory they are several times the log
    return maker.tokenize(row, talks, file, later)


def _held(talk: Conversation) -> Conversation:
    return talk


def _read_again(log: Path, borrowed: Mapping[int, Borrowed]) -> Conversation:
    """What changed meanwhile is found when the task's fingerprint is taken once more."""
    return conversation(json_reader.read(log), borrowed)
