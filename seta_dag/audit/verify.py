"""What is in a dataset that someone published: each row built again from its own log, and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from seta_dag.audit.reference_rules import renderings
from seta_dag.hub.card.parse import parse_card
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
_ROWS_AT_ONCE = 32
_ROWS_CLAIMED = re.compile(r"(?<![\d.,])(\d[\d,]*)[*_`]*\s+(?:rows|examples)\b")

_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """`equal` to our rules; `explained` by `differences`, named in `reference_rules`; else `unexplained`.

    `detail` says of an unexplained row what is the first thing that does not fit.
    """

    trial_uid: str
    verdict: Literal["equal", "explained", "unexplained"]
    differences: tuple[str, ...] = ()
    detail: str | None = None


def verify(folder: Path, prover: Prover | None = None) -> list[RowVerdict]:
    """A verdict on each row of the dataset in `folder`, in order, by default for the default student.

    Raises `DatasetError` where the folder holds no such rows, and `StudentError`.
    """
    shards_in(folder)  # says what is missing before the tokenizer loads
    verifier = _Verifier(prover or _default_prover())
    return [verifier.verdict(row) for row in _rows(folder)]


def _default_prover() -> Prover:
    student = find_student(DEFAULT_STUDENT)
    return Prover.load(student, StudentTokenizer.load(student))


def verify_counts(folder: Path) -> list[str]:
    """Where the card's YAML or text gives another number of rows than the shards hold, a sentence each."""
    n_rows = len(list(_rows(folder, ("trial_uid",))))
    try:
        card = parse_card((folder / "README.md").read_text("utf-8"))
    except (OSError, ValueError) as error:  # DatasetError is a ValueError, and so is text that is not UTF-8
        return [f"{folder / 'README.md'}: no card to compare {n_rows:,} rows with ({error})"]
    splits = card.at("dataset_info", "splits") or card.at("dataset_info", 0, "splits") or []
    in_yaml = {split["num_examples"] for split in splits if split.get("name") == "train"}
    claims = _ROWS_CLAIMED.findall(_CODE.sub("", card.text))
    in_text = {int(number.replace(",", "")) for number in claims}
    return [
        f"the card's {place} says {number:,} rows, the shards hold {n_rows:,}"
        for place, numbers in (("YAML", in_yaml), ("text", in_text))
        for number in sorted(numbers - {n_rows})
    ]


def _rows(folder: Path, columns: Sequence[str] = _COLUMNS) -> Iterator[dict[str, Any]]:
    for shard in shards_in(folder):
        with opened(shard) as file:
            require_columns(shard, file, columns)
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(columns)):
                yield from batch.to_pylist()


@dataclass(frozen=True)
class _Verifier:
    prover: Prover

    def verdict(self, row: Mapping[str, Any]) -> RowVerdict:
        uid = row["trial_uid"]
        try:
            talk = conversation(json_reader.parse(row["raw_conv_json"].encode()))
        except (json_reader.UnreadableError, KeyError, TypeError, AttributeError, RecursionError):
            return RowVerdict(uid, "unexplained", detail="raw_conv_json is no conversation log")
        if wrong := _wrong_counts(row, talk):
            return RowVerdict(uid, "unexplained", detail=wrong)
        variant = _variant(row["chat_template_str"])
        ours = render(talk, variant)
        tokens = self.prover.tokenizer.tokenize([ours])[0]
        if ours.text == row["chat_template_str"] and _same(row, tokens.ids, tokens.mask):
            return RowVerdict(uid, "equal")
        names = self._explained(row, talk, variant, ours)
        if names is not None:
            return RowVerdict(uid, "explained", names)
        return RowVerdict(uid, "unexplained", detail=_first_difference(row, ours.text))

    def _explained(
        self, row: Mapping[str, Any], talk: Conversation, variant: Variant, ours: Rendered
    ) -> tuple[str, ...] | None:
        """The names of the fewest differences that together give the row."""
        text = row["chat_template_str"]
        ids = self.prover.tokenizer.engine.encode([text]).ids
        if not _same(row, ids, self.prover.scan(ids)):
            return None
        if text == ours.text:
            return ("literal_markup",)
        names = next((names for names, one in renderings(talk, variant) if one == text), None)
        return (*names, "literal_markup") if names and ours.has_literal_markup else names


def _variant(text: str) -> Variant:
    return "nothink" if "/no_think" in text.partition("<|im_end|>")[0] else "thinking"


def _same(row: Mapping[str, Any], ids: Any, mask: Any) -> bool:
    return np.array_equal(row["input_ids"], ids) and np.array_equal(row["loss_mask"], mask)


def _wrong_counts(row: Mapping[str, Any], talk: Conversation) -> str | None:
    counted = {
        "local_token_count": len(row["input_ids"]),
        "n_assistant_tokens": sum(row["loss_mask"]),
        "n_messages": talk.n_messages,
    }
    wrong = [f"{name} is {row[name]}, not {n}" for name, n in counted.items() if row[name] != n]
    return "; ".join(wrong) or None


def _first_difference(row: Mapping[str, Any], ours: str) -> str:
    text = row["chat_template_str"]
    if text == ours:
        return "input_ids or loss_mask are neither ours nor the reference's"
    at = next(
        (i for i, (a, b) in enumerate(zip(text, ours, strict=False)) if a != b), min(len(text), len(ours))
    )
    return f"chat_template_str differs from character {at} on"
