"""Compare the columns of a row with what its log gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from seta_dag.rollouts.conversation import Conversation
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.sources.usage import provider_token_counts
from seta_dag.tokens.variants import Variant


def variant_of(text: str) -> Variant:
    """Return the variant that a rendered text is from."""
    # Only the first turn is searched, because tool output may quote `/no_think`.
    return "nothink" if "/no_think" in text.partition("<|im_end|>")[0] else "thinking"


def has_tokens(row: Mapping[str, Any], ids: Any, mask: Any) -> bool:
    """Return whether the row has exactly these ids and this mask."""
    return np.array_equal(row["input_ids"], ids) and np.array_equal(row["loss_mask"], mask)


def compare_short(
    row: Mapping[str, Any], log: dict[str, Any], talk: Conversation, counted: Collection[int]
) -> str | None:
    """Return which short columns of a row are wrong, None if none are.

    Only those that the row's own log and tokens decide are compared; reward and path are not among them.
    `counted` are right as `n_messages`.
    """
    expected = {
        "model": clean(log["model"]) if isinstance(log.get("model"), str) else None,
        "provider_token_counts": asdict(provider_token_counts(log)),
        "local_token_count": len(row["input_ids"]),
        "n_assistant_tokens": sum(row["loss_mask"]),
        "n_messages": talk.n_messages,
    }
    if row["n_messages"] in counted:
        del expected["n_messages"]
    wrong = [f"{name} is {row[name]}, not {value}" for name, value in expected.items() if row[name] != value]
    return "; ".join(wrong) or None


def first_difference(row: Mapping[str, Any], ours: str) -> str:
    """Say where a row differs from the text that our rules give."""
    text = row["chat_template_str"]
    if text == ours:
        return "input_ids or loss_mask are neither ours nor the reference's"
    # Without a differing character, one text is the beginning of the other.
    at = next(
        (i for i, (a, b) in enumerate(zip(text, ours, strict=False)) if a != b), min(len(text), len(ours))
    )
    return f"chat_template_str differs from character {at} on"
