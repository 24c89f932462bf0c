"""Compare the columns of a row with what its log gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from seta_dag.rollouts.conversation import Conversation
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.sources.usage import provider_token_counts
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.variants import Variant

_AROUND = 20  # characters shown before and after a difference


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
    wrong = [
        f"{name}: the row has {row[name]}, its log and tokens give {value}"
        for name, value in expected.items()
        if row[name] != value
    ]
    return "; ".join(wrong) or None


def first_difference(row: Mapping[str, Any], ours: str, tokens: Tokenized) -> str:
    """Say where a row first differs from the text, ids and mask that our rules give."""
    text = row["chat_template_str"]
    if text != ours:
        at = _first(text, ours)
        said, rules = (repr(words[max(at - _AROUND, 0) : at + _AROUND]) for words in (text, ours))
        return f"chat_template_str differs from character {at} on: the row has {said}, our rules give {rules}"
    for name, expected in (("input_ids", tokens.ids), ("loss_mask", tokens.mask)):
        wanted = expected.tolist()
        if (at := _first(row[name], wanted)) < max(len(row[name]), len(wanted)):
            said, rules = (
                str(values[at]) if at < len(values) else "nothing" for values in (row[name], wanted)
            )
            return f"{name} differs at token {at}: the row has {said}, our rules give {rules}"
    return "it is as our rules give it"


def _first(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Return the first index at which two sequences differ, or the end of the shorter one."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
