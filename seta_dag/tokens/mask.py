"""Token ids (rule R8) and loss mask (rule R9, docs/rules.md) of rendered text."""

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
    """Token ids and loss mask of one conversation."""

    ids: Ids
    """int32, the token ids."""
    mask: Mask
    """int8, same length as `ids`; 1 = trained."""
    spans: tuple[tuple[int, int], ...]
    """Trainable spans, one per assistant turn and in order: `[start, end)`, indexes into `ids`."""

    @property
    def n_trainable(self) -> int:
        """Number of tokens that the student is trained on (`n_assistant_tokens`)."""
        return int(np.count_nonzero(self.mask))


def tokenize(rendered: Sequence[Rendered], engine: Engine, markup_ids: Mapping[str, int]) -> list[Tokenized]:
    """Tokenize conversations in a single engine call, unless they are long.

    The mask is 1 from the `<|im_start|>` of each assistant turn through the newline after its
    `<|im_end|>`. It follows the rendered structure; the ids are not searched.
    """
    marks = [mark for one in rendered for mark in one.marks]
    is_text = np.array([mark is None for mark in marks], np.bool_)
    encoded = encode_gaps(engine, [gap for one in rendered for gap in one.gaps])
    # Tokens per piece: as many as the engine returned for ordinary text, one for markup.
    lengths = np.ones(len(marks), np.int64)
    lengths[is_text] = np.diff(encoded.offsets)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    # The ids of ordinary text are in order already, so one masked assignment interleaves them with the
    # markup.
    ids, of_text = np.empty(ends[-1], np.int32), np.ones(ends[-1], np.bool_)
    markup = ends[:-1][~is_text]
    of_text[markup] = False
    ids[markup] = [markup_ids[mark] for mark in marks if mark is not None]
    ids[of_text] = encoded.ids
    # Index of the first piece of each conversation.
    firsts = np.cumsum([0, *(len(one.marks) for one in rendered)])
    return [_tokenized(one, ids, ends[first:]) for one, first in zip(rendered, firsts, strict=False)]


def _tokenized(rendered: Rendered, ids: Ids, offsets: npt.NDArray[np.int64]) -> Tokenized:
    """Take one conversation out of the ids of all.

    `offsets[i]` is the place in `ids` at which piece i of this conversation starts.
    """
    start, end = int(offsets[0]), int(offsets[len(rendered.marks)])
    # From pieces to tokens, counted from the start of the conversation.
    spans = tuple((int(offsets[a]) - start, int(offsets[b]) - start) for a, b in rendered.spans)
    mask = np.zeros(end - start, np.int8)
    for first, last in spans:
        mask[first:last] = 1
    return Tokenized(ids[start:end], mask, spans)
