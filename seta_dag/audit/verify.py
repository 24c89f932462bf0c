"""Verify a published dataset: rebuild each row from its own log and compare the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from seta_dag.audit.reference_rules import renderings
from seta_dag.loaders.columns import require_columns, shards_in
from seta_dag.rollouts import json_reader
from seta_dag.rollouts.conversation import Conversation
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.store.parquet import opened
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student.student import DEFAULT_STUDENT, find_student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import Variant

_COLUMNS = (
    "trial_uid", "local_token_count", "n_assistant_tokens", "n_messages", "raw_conv_json",
    "chat_template_str", "input_ids", "loss_mask",
)  # fmt: skip
# Rows hold lists of up to 100,000 Python ints, so a batch is kept small.
_ROWS_PER_BATCH = 32


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


def verify(folder: Path, prover: Prover | None = None) -> list[RowVerdict]:
    """Verify every row of the dataset in `folder`.

    Returns one verdict per row, in order. Without a `prover`, the default student is used.

    Raises:
        DatasetError: `folder` has no shards, or one is unreadable or lacks a column.
        StudentError: the default student's tokenizer cannot be loaded.
    """
    shards_in(folder)  # fails before the tokenizer is loaded, which takes longer
    verifier = _Verifier(prover or _default_prover())
    return [verifier.verdict(row) for row in read_rows(folder)]


def _default_prover() -> Prover:
    student = find_student(DEFAULT_STUDENT)
    return Prover.load(student, StudentTokenizer.load(student))


def read_rows(folder: Path, columns: Sequence[str] = _COLUMNS) -> Iterator[dict[str, Any]]:
    """Yield the rows of all shards, in order, with only these columns.

    Raises:
        DatasetError: `folder` has no shards, or one is unreadable or lacks a column.
    """
    for shard in shards_in(folder):
        with opened(shard) as file:
            require_columns(shard, file, columns)
            for batch in file.iter_batches(_ROWS_PER_BATCH, columns=list(columns)):
                yield from batch.to_pylist()


@dataclass(frozen=True)
class _Verifier:
    prover: Prover

    def verdict(self, row: Mapping[str, Any]) -> RowVerdict:
        uid = row["trial_uid"]
        try:
            talk = conversation(json_reader.parse(row["raw_conv_json"].encode()))
        except (json_reader.UnreadableError, KeyError, TypeError, AttributeError, RecursionError):
            return RowVerdict(uid, "unexplained", detail="raw_conv_json is not a conversation log")
        if detail := _compare_counts(row, talk):
            return RowVerdict(uid, "unexplained", detail=detail)
        variant = _variant(row["chat_template_str"])
        ours = render(talk, variant)
        tokens = self.prover.tokenizer.tokenize([ours])[0]
        if ours.text == row["chat_template_str"] and _has_tokens(row, tokens.ids, tokens.mask):
            return RowVerdict(uid, "equal")
        differences = self._explain(row, talk, variant, ours)
        if differences is not None:
            return RowVerdict(uid, "explained", differences)
        return RowVerdict(uid, "unexplained", detail=_first_difference(row, ours.text))

    def _explain(
        self, row: Mapping[str, Any], talk: Conversation, variant: Variant, ours: Rendered
    ) -> tuple[str, ...] | None:
        """Return the fewest differences that reproduce the row, None if none do."""
        text = row["chat_template_str"]
        # The reference encodes the text as one string, so text that spells markup becomes special tokens.
        ids = self.prover.tokenizer.engine.encode([text]).ids
        if not _has_tokens(row, ids, self.prover.scan(ids)):
            return None
        if text == ours.text:
            return ("literal_markup",)
        # `renderings` starts with single differences, so the first match is the shortest explanation.
        matching = (names for names, rendered in renderings(talk, variant) if rendered == text)
        names = next(matching, None)
        return (*names, "literal_markup") if names and ours.has_literal_markup else names


def _variant(text: str) -> Variant:
    # Only the first turn is searched, because tool output may quote `/no_think`.
    return "nothink" if "/no_think" in text.partition("<|im_end|>")[0] else "thinking"


def _has_tokens(row: Mapping[str, Any], ids: Any, mask: Any) -> bool:
    return np.array_equal(row["input_ids"], ids) and np.array_equal(row["loss_mask"], mask)


def _compare_counts(row: Mapping[str, Any], talk: Conversation) -> str | None:
    expected = {
        "local_token_count": len(row["input_ids"]),
        "n_assistant_tokens": sum(row["loss_mask"]),
        "n_messages": talk.n_messages,
    }
    wrong = [f"{name} is {row[name]}, not {n}" for name, n in expected.items() if row[name] != n]
    return "; ".join(wrong) or None


def _first_difference(row: Mapping[str, Any], ours: str) -> str:
    text = row["chat_template_str"]
    if text == ours:
        return "input_ids or loss_mask are neither ours nor the reference's"
    # Without a differing character, one text is the beginning of the other.
    at = next(
        (i for i, (a, b) in enumerate(zip(text, ours, strict=False)) if a != b), min(len(text), len(ours))
    )
    return f"chat_template_str differs from character {at} on"
