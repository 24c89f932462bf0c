"""Build the row of one canonical trial in both variants (rules R4 to R10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from seta_dag.rollouts import json_reader
from seta_dag.rollouts.collect_trials import RUN_INFO
from seta_dag.rollouts.confined import is_outside
from seta_dag.rollouts.conversation import Conversation, Note
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.reasons import Flag, Reason
from seta_dag.rollouts.sources.dialects import Borrowed
from seta_dag.rollouts.sources.dialects import conversation as parse_conversation
from seta_dag.rollouts.sources.refusals import no_usable_log
from seta_dag.rollouts.sources.snapshot import Snapshot, choose
from seta_dag.secret_scan.places import credentials
from seta_dag.tokens.log_columns import log_columns, raw_log
from seta_dag.tokens.piece_file import PieceWriter
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.proofs.sample import sampled
from seta_dag.tokens.redaction import Redacted, redact, secret_kinds
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student.caching_engine import EncodingCache
from seta_dag.tokens.trial_row import TrialRow, VariantCounts, digest
from seta_dag.tokens.variants import VARIANTS, Variant

_REREAD = 50_000_000  # bytes; a log of at least this size is parsed once per variant, not kept in memory


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes rows of one student and proves them."""

    prover: Prover
    sample_rate: float
    """Share of the trials that are checked with the reference engine, 0.0 to 1.0; flagged ones always are."""
    redact: bool = False
    """Whether secrets in the log are replaced, and trials with secrets in their text dropped."""

    def tokenize(self, row: TrialRow, load: Callable[[], Conversation], file: PieceWriter) -> TrialRow:
        """Add both variants of a row to the piece's file, if it can be proved.

        If a proof fails, the trial is dropped. `load` returns the conversation and is called once per
        variant.
        """
        cache: EncodingCache = {}  # for both variants, which differ in little more than reasoning
        for variant in VARIANTS:
            fault = self._add_variant(row, load(), variant, cache, file)
            if fault is not None:
                return row.drop(*fault)
        return row

    def _add_variant(
        self,
        row: TrialRow,
        conversation: Conversation,
        variant: Variant,
        cache: EncodingCache,
        file: PieceWriter,
    ) -> tuple[Reason, str] | None:
        """Add one variant to the piece's file, or return why the trial has no row, and in a sentence."""
        rendered = render(conversation, variant)
        if self.redact and (kinds := secret_kinds(rendered.utf8, row.named_secrets)):
            return Reason.SECRET, f"{variant}: the text contains {', '.join(kinds)}"
        # The proofs need no more than the assistant turns; tool outputs are most of a conversation's size.
        conversation = conversation.assistant_only()
        literal = rendered.has_literal_markup
        row.flags |= {Flag.LITERAL_MARKUP} if literal else set()
        row.against_reference = bool(row.flags) or sampled(row.trial.uid, self.sample_rate)
        (tokenized,) = self.prover.tokenizer.tokenize([rendered])
        fault = self.prover.prove(conversation, rendered, tokenized, variant, literal=literal)
        if fault is None and row.against_reference:
            fault = self.prover.engines_agree(rendered, tokenized, cache)
        if fault is None:
            file.add(rendered.utf8, tokenized.ids, tokenized.spans)
            proof = digest(rendered.utf8, tokenized.ids, tokenized.mask)
            row.counts[variant] = VariantCounts(len(tokenized.ids), tokenized.n_trainable, literal, proof)
        return (Reason.NOT_EXACT, f"{variant}: {fault}") if fault is not None else None


def build_row(root: Path, trial: Trial, report: Report, maker: RowMaker, file: PieceWriter) -> TrialRow:
    """Build the row of a canonical trial and add its long columns to the piece's file.

    `root` is the rollouts root. Batches of a dropped trial may remain in the file; nothing refers to them.
    """
    flags: set[str] = {Flag.CTRF_MISMATCH} if report.mismatch else set()
    row = TrialRow(trial, report, flags=flags, first_batch=file.n_batches)
    if report.reason is not None:
        return row.drop(report.reason, report.detail)
    try:
        chosen = choose(root / trial.path)
    except RecursionError:
        return row.drop(Reason.NO_CONVERSATION, "a log is nested too deep")
    if chosen is None:
        return row.drop(Reason.NO_CONVERSATION, no_usable_log(root / trial.path))
    row.snapshot = clean(chosen.path.name)
    row.reasoning_logged = chosen.reasoning
    _note(row, chosen.notes)
    if is_outside(str(root / trial.path), RUN_INFO):
        _note(row, (Note(Flag.LINK_NOT_FOLLOWED, None, RUN_INFO),))
    try:
        conversation = parse_conversation(chosen.log, chosen.borrowed)
    except RecursionError:  # JSON that can be parsed may still be nested too deeply to be written again
        return row.drop(Reason.NO_CONVERSATION, f"{row.snapshot}: nested too deep")
    _note(row, conversation.notes)
    row.n_assistant_turns = conversation.n_assistant_turns
    row.n_reasoning_turns = conversation.n_reasoning_turns
    row.named_secrets = tuple(credentials(chosen.log)) if maker.redact else ()
    log = _published_log(chosen, maker.redact, row)
    if log is None:
        return row.drop(Reason.SECRET, f"{row.snapshot} has secrets that cannot be replaced")
    row.columns = log_columns(root, trial, report, chosen, log, conversation.n_messages)
    if not conversation.n_assistant_turns:
        return row.drop(Reason.NO_ASSISTANT_TURN, f"{row.snapshot} has no assistant turn")
    # Written before anything is rendered, so that the bytes of the log can be freed.
    file.add(log)
    is_long = len(chosen.data) >= _REREAD
    load = partial(_parse, chosen.path, chosen.borrowed) if is_long else partial(_identity, conversation)
    del chosen, conversation, log  # together they take several times the memory of the log
    return maker.tokenize(row, load, file)


def _published_log(chosen: Snapshot, is_redacted: bool, row: TrialRow) -> bytes | None:
    """Return `raw_conv_json`, if requested without its secrets; None if one of them cannot be replaced."""
    log = raw_log(chosen)
    redacted = redact(log) if is_redacted else Redacted(log, ())
    if redacted is None:
        return None
    _note(row, tuple(Note(Flag.REDACTED, None, kind) for kind in redacted.kinds))
    return redacted.log


def _note(row: TrialRow, notes: tuple[Note, ...]) -> None:
    row.notes += notes
    row.flags |= {note.flag for note in notes}


def _identity(conversation: Conversation) -> Conversation:
    return conversation


def _parse(log: Path, borrowed: Mapping[int, Borrowed]) -> Conversation:
    # The log may have changed since it was chosen. The task's fingerprint, taken again at the end, notices.
    return parse_conversation(json_reader.read(log), borrowed)
