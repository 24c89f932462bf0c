"""Split a row into turns and parts.

Only special tokens in the ids are markup. Text that spells one (literal markup) never splits a turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from seta_dag.tokens.renderers.markup import (
    END_THINK,
    END_TOOL_CALL,
    END_TOOL_RESPONSE,
    IM_START,
    THINK,
    TOOL_CALL,
    TOOL_RESPONSE,
    Markup,
)
from seta_dag.tokens.student.engines import Ids
from seta_dag.tokens.student.vocabulary import Decoded

PartKind = Literal["text", "reasoning", "call", "output"]
# Opening tag -> (closing tag, kind), by the role in which the pair is a block.
Opening = Mapping[Markup, tuple[Markup, PartKind]]
_OPENING: Mapping[str, Opening] = {
    "assistant": {THINK: (END_THINK, "reasoning"), TOOL_CALL: (END_TOOL_CALL, "call")},
    "user": {TOOL_RESPONSE: (END_TOOL_RESPONSE, "output")},
}


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens `[first, end)` of the row.

    Either a block with the special tokens that open and close it, or the text around blocks (kind `text`).
    """

    kind: PartKind
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class TurnSpan:
    """One turn: tokens `[first, end)`, from `<|im_start|>` up to the next one.

    Attributes:
        number: 1 for the first turn of the row.
        role: as rendered, except `tool` for a user turn with the output of tools.
        first: index of the first token.
        end: index after the last token.
        parts: cover the turn without gaps, in order.
    """

    number: int
    role: str
    first: int
    end: int
    parts: tuple[Part, ...]


def turn_spans(ids: Ids, decoded: Decoded, markup_ids: Mapping[str, int]) -> list[TurnSpan]:
    """Return the turns of a row, in order and without gaps.

    `markup_ids` maps each special token to its id. Tokens before the first `<|im_start|>`, if there are any,
    are a turn of their own.
    """
    starts = np.flatnonzero(ids == markup_ids[IM_START]).tolist()
    # A set, because the first turn normally starts at 0.
    bounds = sorted({0, *starts, len(ids)})
    return [
        _turn(number, first, end, ids, decoded, markup_ids)
        for number, (first, end) in enumerate(pairwise(bounds), 1)
    ]


def _turn(
    number: int, first: int, end: int, ids: Ids, decoded: Decoded, markup_ids: Mapping[str, int]
) -> TurnSpan:
    # The role is the first line of the text, however many tokens it takes.
    (text,) = decoded.texts([(first, end)])
    role = text.removeprefix(IM_START.encode()).partition(b"\n")[0].decode("utf-8", "replace")
    blocks = _OPENING.get(role, {})
    opening = {markup_ids[tag]: (markup_ids[close], kind) for tag, (close, kind) in blocks.items()}
    parts = tuple(_parts(ids[first:end].tolist(), first, opening))
    is_tool = any(part.kind == "output" for part in parts)
    return TurnSpan(number, "tool" if is_tool else role, first, end, parts)


def _parts(ids: Sequence[int], offset: int, opening: Mapping[int, tuple[int, PartKind]]) -> Iterator[Part]:
    """Yield blocks and the text between them; a block that is never closed is text."""
    at = 0  # end of the last part
    for start, token in enumerate(ids):
        # Tokens before `at` are inside a block, where opening tags mean nothing.
        if start < at or token not in opening or opening[token][0] not in ids[start:]:
            continue
        closing, kind = opening[token]
        if start > at:
            yield Part("text", offset + at, offset + start)
        at = ids.index(closing, start) + 1
        yield Part(kind, offset + start, offset + at)
    if at < len(ids):
        yield Part("text", offset + at, offset + len(ids))
