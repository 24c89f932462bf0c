"""The public reference's rendering, as far as it differs from ours: each difference by its name.

Source: the reference's card and the "≠" notes to R6 to R8. It applies the official chat template, tokenizes
the text whole, and scans the ids for the mask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, combinations

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.tokens.renderers.qwen3 import render, without_thinking
from seta_dag.tokens.variants import Variant

DIFFERENCES = {
    "late_user": "reasoning before the last user message is dropped, or all where there is no user message",
    "torn_think": "content without logged reasoning is torn at a </think> in it",
    "tool_schemas": "the log's tool schemas are not rendered",
    "nothink_regex": "think blocks are cut out of the whole text, a <think> in tool output included",
    "literal_markup": "text that spells markup became special tokens, and the mask may follow them",
}
"""What each name means; `literal_markup` is one of the ids, the others are of the text."""

_OF_TEXT = tuple(name for name in DIFFERENCES if name != "literal_markup")
_THINK_BLOCKS = (r"(?s)<think>\n.*?\n</think>\n\n", r"(?s)<think>.*?</think>\s*")
_AFTER_LAST = Turn("user", "")
_AFTER_LAST_TEXT = "<|im_start|>user\n<|im_end|>\n"


def renderings(talk: Conversation, variant: Variant) -> Iterator[tuple[tuple[str, ...], str]]:
    """(names, text) of every way to render with some of the differences; the fewest come first."""
    names = _OF_TEXT if variant == "nothink" else tuple(n for n in _OF_TEXT if n != "nothink_regex")
    for applied in chain.from_iterable(combinations(names, n) for n in range(1, len(names) + 1)):
        for text in _render(talk, variant, applied):
            yield applied, text


def _render(talk: Conversation, variant: Variant, applied: tuple[str, ...]) -> Iterator[str]:
    if "tool_schemas" in applied:
        talk = replace(talk, tools=())
    if "torn_think" in applied:
        talk = replace(talk, turns=tuple(map(_torn, talk.turns)))
    if "nothink_regex" not in applied:
        yield _official(talk, variant) if "late_user" in applied else render(talk, variant).text
        return
    talk = replace(talk, turns=_with_no_think(talk.turns))
    text = _official(talk, "thinking") if "late_user" in applied else render(talk, "thinking").text
    yield from (re.sub(block, "", text) for block in _THINK_BLOCKS)


def _official(talk: Conversation, variant: Variant) -> str:
    """As the template does it: reasoning only after the last user query."""
    queries = [index for index, turn in enumerate(talk.turns) if _is_query(turn)]
    last = queries[-1] if queries else len(talk.turns)
    turns = tuple(replace(turn, reasoning="") if i < last else turn for i, turn in enumerate(talk.turns))
    if queries:
        return render(replace(talk, turns=turns), variant).text
    # The last turn would get its think block; with a turn behind it, it is none of the last.
    text = render(replace(talk, turns=(*turns, _AFTER_LAST)), variant).text
    return text.removesuffix(_AFTER_LAST_TEXT)


def _is_query(turn: Turn) -> bool:
    wrapped = turn.content.startswith("<tool_response>") and turn.content.endswith("</tool_response>")
    return turn.role == "user" and not wrapped


def _torn(turn: Turn) -> Turn:
    if turn.role != "assistant" or turn.reasoning or "</think>" not in turn.content:
        return turn
    head, tail = turn.content.split("</think>")[0], turn.content.split("</think>")[-1]
    reasoning = head.rstrip("\n").split("<think>")[-1].lstrip("\n")
    return replace(turn, reasoning=reasoning, content=tail.lstrip("\n"))


def _with_no_think(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """`/no_think` where R7 has it, with the reasoning still there."""
    plain = without_thinking(turns)
    added = len(plain) - len(turns)
    kept = [new if new.role == "system" else old for old, new in zip(turns, plain[added:], strict=True)]
    return (*plain[:added], *kept)
