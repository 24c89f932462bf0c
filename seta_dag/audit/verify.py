"""Verify a published dataset: rebuild each row from its own log and compare the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seta_dag.audit.compare import compare_short, first_difference, has_tokens, variant_of
from seta_dag.audit.reference_reading import counted_messages, readings
from seta_dag.audit.reference_rules import renderings
from seta_dag.audit.rows import count_rows, read_rows
from seta_dag.rollouts import json_reader
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.borrowed import with_reasoning_of
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student.student import DEFAULT_STUDENT, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import Variant

_COLUMNS = (
    "trial_uid", "model", "provider_token_counts", "local_token_count", "n_assistant_tokens", "n_messages",
    "raw_conv_json", "chat_template_str", "input_ids", "loss_mask",
)  # fmt: skip

_NEVER_NULL = ("trial_uid", "raw_conv_json", "chat_template_str", "input_ids", "loss_mask")


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """Result of verifying one row.

    Attributes:
        trial_uid: the trial of the row.
        verdict: `equal` to our rules, `explained` by `differences`, or `unexplained`.
        differences: names from `reference_rules.DIFFERENCES`; empty unless `explained`.
        detail: the first thing that does not match; None unless `unexplained`.
    """

    trial_uid: str
    verdict: Literal["equal", "explained", "unexplained"]
    differences: tuple[str, ...] = ()
    detail: str | None = None


def verify(source: Path, prover: Prover | None = None) -> list[RowVerdict]:
    """Verify every row of a dataset: a folder, a Parquet file, or a file of JSON lines.

    Returns one verdict per row, in order. Without a `prover`, the default student is used.

    Raises:
        DatasetError: there are no shards, or a file is unreadable or lacks a column.
        StudentError: the default student's tokenizer cannot be loaded.
    """
    count_rows(source)  # fails before the tokenizer is loaded, which takes longer
    return list(verdicts(source, prover or _default_prover()))


def verdicts(source: Path, prover: Prover) -> Iterator[RowVerdict]:
    """Yield the verdicts one by one. Raises `DatasetError`."""
    verifier = _Verifier(prover)
    return (verifier.verdict(row) for row in read_rows(source, _COLUMNS))


def _default_prover() -> Prover:
    student = find_student(DEFAULT_STUDENT)
    return Prover.load(student, StudentTokenizer.load(student))


@dataclass(frozen=True)
class _Verifier:
    prover: Prover

    def verdict(self, row: Mapping[str, Any]) -> RowVerdict:
        uid = row["trial_uid"] or "a row without a name"
        if nulls := [name for name in _NEVER_NULL if row[name] is None or _has_null(row[name])]:
            return RowVerdict(uid, "unexplained", detail=f"a null in {', '.join(nulls)}")
        try:
            log = json_reader.parse(row["raw_conv_json"].encode())
            talk, counted = conversation(log), counted_messages(log)
        except (json_reader.UnreadableError, KeyError, TypeError, AttributeError, RecursionError):
            return RowVerdict(uid, "unexplained", detail="raw_conv_json is not a conversation log")
        if detail := compare_short(row, log, talk, counted):
            return RowVerdict(uid, "unexplained", detail=detail)
        variant = variant_of(row["chat_template_str"])
        ours = render(talk, variant)
        is_whole = row["n_messages"] == talk.n_messages
        if is_whole and self._is_rendering(row, ours):
            return RowVerdict(uid, "equal")
        filled = with_reasoning_of(row["chat_template_str"], talk, ours)
        if is_whole and filled is not None and self._is_rendering(row, render(filled, variant)):
            return RowVerdict(uid, "explained", ("reasoning_from_other_log",))
        differences = self._explain(row, log, variant, ours)
        if differences is not None:
            return RowVerdict(uid, "explained", differences)
        (tokens,) = self.prover.tokenizer.tokenize([ours])
        return RowVerdict(uid, "unexplained", detail=first_difference(row, ours.text, tokens))

    def _is_rendering(self, row: Mapping[str, Any], rendered: Rendered) -> bool:
        if rendered.text != row["chat_template_str"]:
            return False
        (tokens,) = self.prover.tokenizer.tokenize([rendered])
        return has_tokens(row, tokens.ids, tokens.mask)

    def _explain(
        self, row: Mapping[str, Any], log: dict[str, Any], variant: Variant, ours: Rendered
    ) -> tuple[str, ...] | None:
        """Return the fewest differences that reproduce the row, None if none do."""
        text = row["chat_template_str"]
        # The reference encodes the text as one string, so text that spells markup becomes special tokens.
        ids = self.prover.tokenizer.engine.encode([text]).ids
        if not has_tokens(row, ids, self.prover.scan(ids)):
            return None
        found = readings(log, row["n_messages"])
        if text == ours.text and not found[0].names:
            return ("literal_markup",)
        # `renderings` starts with single differences, so the first match is the shortest explanation.
        matching = (names for names, rendered in renderings(found, variant) if rendered == text)
        names = next(matching, None)
        return (*names, "literal_markup") if names and ours.has_literal_markup else names


def _has_null(value: Any) -> bool:
    return isinstance(value, list) and None in value
