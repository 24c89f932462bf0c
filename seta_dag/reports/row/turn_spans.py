"""The turns of a row and what they consist of, read off its ids alone: only special tokens are markup."""

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
Opening = Mapping[Markup, tuple[Markup, PartKind]]
_OPENING: Mapping[str, Opening] = {
    "assistant": {THINK: (END_THINK, "reasoning"), TOOL_CALL: (END_TOOL_CALL, "call")},
    "user": {TOOL_RESPONSE: (END_TOOL_RESPONSE, "output")},
}


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens `first` to `end` of the row: a block between two special tokens, or the text around."""

    kind: PartKind
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class TurnSpan:
    """Tokens `first` to `end`, from `<|im_start|>` up to the next one. `role` is as rendered, but `tool`
    for the user turn that holds the output of tools."""

    number: int
    role: str
    first: int
    end: int
    parts: tuple[Part, ...]


def turn_spans(ids: Ids, decoded: Decoded, markup_ids: Mapping[str, int]) -> list[TurnSpan]:
    """Every turn of a row, in order; together they are the whole row."""
    starts = np.flatnonzero(ids == markup_ids[IM_START]).tolist()
    bounds = sorted({0, *starts, len(ids)})
    return [
        _turn(number, first, end, ids, decoded, markup_ids)
        for number, (first, end) in enumerate(pairwise(bounds), 1)
    ]


def _turn(
    number: int, first: int, end: int, ids: Ids, decoded: Decoded, markup_ids: Mapping[str, int]
) -> TurnSpan:
    (header,) = decoded.texts([(first, end)])
    role = header.removeprefix(IM_START.encode()).partition(b"\n")[0].decode("utf-8", "replace")
    opening = {markup_ids[tag]: (markup_ids[close], kind) for tag, (close, kind) in _of(role).items()}
    parts = tuple(_parts(ids[first:end].tolist(), first, opening))
    is_tool = any(part.kind == "output" for part in parts)
    return TurnSpan(number, "tool" if is_tool else role, first, end, parts)


def _of(role: str) -> Opening:
    return _OPENING.get(role, {})


def _parts(ids: Sequence[int], offset: int, opening: Mapping[int, tuple[int, PartKind]]) -> Iterator[Part]:
    """Blocks and the text between them; a block that is never closed is text."""
    at = 0
    for place, token in enumerate(ids):
        if place < at or token not in opening or opening[token][0] not in ids[place:]:
            continue
        closing, kind = opening[token]
        if place > at:
            yield Part("text", offset + at, offset + place)
        at = ids.index(closing, place) + 1
        yield Part(kind, offset + place, offset + at)
    if at < len(ids):
        yield Part("text", offset + at, offset + len(ids))
