"""How the public reference renders a conversation, where that differs from our rules.

Every difference has a name. The sources are the reference's card and what R6 to R8 say about the reference
(docs/rules.md). It applies the official chat template, tokenizes the text as one string, and computes the
mask by searching the ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations, product

from seta_dag.audit.reference_reading import READING, Reading
from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.tokens.renderers.qwen3 import render, without_thinking
from seta_dag.tokens.variants import Variant

DIFFERENCES = {
    **READING,
    "reasoning_from_other_log": "the row has reasoning that only another log of the trial holds",
    "late_user": "reasoning before the last user message is dropped, or all where there is no user message",
    "torn_think": "content without logged reasoning is split at a </think> in it",
    "tool_schemas": "the log's tool schemas are not rendered",
    "nothink_regex": "think blocks are removed from the complete text, including a <think> in tool output",
    "literal_markup": "text that spells markup became special tokens, which the mask may follow",
}
"""Meaning of each name. `literal_markup` is a difference in the ids, all others are in the text.

`reasoning_from_other_log` is none of the reference's: it is found in rows that rule R4 completed.
"""

_OF_TEXT = ("late_user", "torn_think", "tool_schemas", "nothink_regex")
# Both are tried: the second also removes blocks that lack the template's newlines.
_THINK_BLOCKS = (r"(?s)<think>\n.*?\n</think>\n\n", r"(?s)<think>.*?</think>\s*")
_EXTRA_TURN = Turn("user", "")
_EXTRA_TURN_TEXT = "<|im_start|>user\n<|im_end|>\n"


def renderings(readings: Sequence[Reading], variant: Variant) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (names, text) for every combination of differences, smallest combinations first.

    `readings` are those of one log. The combination without any difference is left out, and so are
    differences in the ids. `nothink_regex` applies to the nothink variant only.
    """
    names = _OF_TEXT if variant == "nothink" else tuple(n for n in _OF_TEXT if n != "nothink_regex")
    subsets = chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))
    pairs = sorted(product(readings, subsets), key=lambda pair: len(pair[0].names) + len(pair[1]))
    for reading, applied in pairs:
        if reading.names or applied:
            texts = _render(reading.talk, variant, applied)
            yield from (((*reading.names, *applied), text) for text in texts)


def _render(talk: Conversation, variant: Variant, applied: tuple[str, ...]) -> Iterator[str]:
    if "tool_schemas" in applied:
        talk = replace(talk, tools=())
    if "torn_think" in applied:
        talk = replace(talk, turns=tuple(map(_split_at_think, talk.turns)))
    if "nothink_regex" not in applied:
        yield _official(talk, variant) if "late_user" in applied else render(talk, variant).text
        return
    # The regex needs the reasoning in the text, so the thinking variant is rendered.
    talk = replace(talk, turns=_add_no_think(talk.turns))
    text = _official(talk, "thinking") if "late_user" in applied else render(talk, "thinking").text
    yield from (re.sub(block, "", text) for block in _THINK_BLOCKS)


def _official(talk: Conversation, variant: Variant) -> str:
    """Render as the official template does: reasoning only after the last user query."""
    queries = [index for index, turn in enumerate(talk.turns) if _is_query(turn)]
    last = queries[-1] if queries else len(talk.turns)
    turns = tuple(replace(turn, reasoning="") if i < last else turn for i, turn in enumerate(talk.turns))
    if queries:
        return render(replace(talk, turns=turns), variant).text
    # The template gives the last turn a think block, so a turn is appended and its text removed again.
    text = render(replace(talk, turns=(*turns, _EXTRA_TURN)), variant).text
    return text.removesuffix(_EXTRA_TURN_TEXT)


def _is_query(turn: Turn) -> bool:
    # Tool output is rendered in user turns, which the template does not count as queries.
    wrapped = turn.content.startswith("<tool_response>") and turn.content.endswith("</tool_response>")
    return turn.role == "user" and not wrapped


def _split_at_think(turn: Turn) -> Turn:
    """Split content at `</think>` as the template does; what is between two of them is lost."""
    if turn.role != "assistant" or turn.reasoning or "</think>" not in turn.content:
        return turn
    head, tail = turn.content.split("</think>")[0], turn.content.split("</think>")[-1]
    reasoning = head.rstrip("\n").split("<think>")[-1].lstrip("\n")
    return replace(turn, reasoning=reasoning, content=tail.lstrip("\n"))


def _add_no_think(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Add `/no_think` as R7 does, but keep the reasoning."""
    plain = without_thinking(turns)
    # R7 adds a system turn if there is none; all other turns keep their positions.
    added = len(plain) - len(turns)
    kept = [new if new.role == "system" else old for old, new in zip(turns, plain[added:], strict=True)]
    return (*plain[:added], *kept)
