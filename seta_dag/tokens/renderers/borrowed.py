"""Reasoning that a row has and its own log does not: rule R4 takes it from another log of the trial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from seta_dag.rollouts.conversation import Conversation
from seta_dag.tokens.renderers.base import Rendered

_HEAD = "<|im_start|>assistant\n"
_EMPTY = "<think>\n\n</think>\n\n"  # of a last turn without reasoning
_OPEN, _CLOSE = "<think>\n", "\n</think>\n\n"


def with_reasoning_of(text: str, talk: Conversation, rendered: Rendered) -> Conversation | None:
    """Return `talk` with the reasoning that `text` has in turns where it has none itself.

    `rendered` is `talk` rendered. None if `text` is not that of `talk` with more reasoning. Equality is still
    to be checked by rendering the result.
    """
    turns, at = list(talk.turns), 0
    assistants = [index for index, turn in enumerate(turns) if turn.role == "assistant"]
    for index, (gap, own) in zip(assistants, _parts(rendered), strict=True):
        at += len(gap)
        if text.startswith(own, at):
            at += len(own)
            continue
        rest = own.removeprefix(_HEAD).removeprefix(_EMPTY).lstrip("\n")
        start = at + len(_HEAD)
        end = text.find(_CLOSE, start) if text.startswith(_OPEN, start) else start
        after = text.find(rest, end) if end >= 0 else -1
        if turns[index].reasoning or after < 0:
            return None
        # Without a block, as in the nothink variant, any reasoning has the same effect.
        reasoning = text[start + len(_OPEN) : end] if end > start else "lost"
        turns[index] = replace(turns[index], reasoning=reasoning)
        at = after + len(rest)
    return replace(talk, turns=tuple(turns))


def _parts(rendered: Rendered) -> Iterator[tuple[str, str]]:
    """Yield (text between, text of the turn) for each assistant turn, in order."""
    starts, done = (0, *rendered.ends), 0
    for first, end in rendered.spans:
        yield (
            rendered.utf8[done : starts[first]].decode(),
            rendered.utf8[starts[first] : starts[end]].decode(),
        )
        done = starts[end]
