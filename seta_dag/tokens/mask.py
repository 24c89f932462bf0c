"""R8 and R9 together: ids and loss mask of rendered conversations, both from the same pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.student.engines import Engine, Ids, encode_gaps

Mask = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Tokenized:
    """`ids` and `mask` are of one length; `spans` are the trainable token ranges, one an assistant turn."""

    ids: Ids
    mask: Mask
    spans: tuple[tuple[int, int], ...]

    @property
    def n_trainable(self) -> int:
        """How many tokens the student learns (`n_assistant_tokens`)."""
        return int(np.count_nonzero(self.mask))


def tokenize(rendered: Sequence[Rendered], engine: Engine, markup_ids: Mapping[str, int]) -> list[Tokenized]:
    """Token ids and loss masks of conversations that are encoded together, in one engine call.

    The mask is 1 from the `<|im_start|>` of each assistant turn through the newline after its
    `<|im_end|>`. It comes from the rendered structure, never from a scan of ids.
    """
    marks = [mark for one in rendered for mark in one.marks]
    is_text = np.array([mark is None for mark in marks], np.bool_)
    encoded = encode_gaps(engine, [gap for one in rendered for gap in one.gaps])
    lengths = np.ones(len(marks), np.int64)
    lengths[is_text] = np.diff(encoded.offsets)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    ids, of_text = np.empty(ends[-1], np.int32), np.ones(ends[-1], np.bool_)
    markup = ends[:-1][~is_text]
    of_text[markup] = False
    ids[markup] = [markup_ids[mark] for mark in marks if mark is not None]
    ids[of_text] = encoded.ids
    firsts = np.cumsum([0, *(len(one.marks) for one in rendered)])
    return [_cut(one, ids, ends[first:]) for one, first in zip(rendered, firsts, strict=False)]


def _cut(rendered: Rendered, ids: Ids, ends: npt.NDArray[np.int64]) -> Tokenized:
    """The part of `ids` that is this conversation; `ends` are token offsets from its first piece on."""
    start, end = int(ends[0]), int(ends[len(rendered.marks)])
    spans = tuple((int(ends[a]) - start, int(ends[b]) - start) for a, b in rendered.spans)
    mask = np.zeros(end - start, np.int8)
    for first, last in spans:
        mask[first:last] = 1
    return Tokenized(ids[start:end], mask, spans)
