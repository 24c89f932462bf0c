"""Loss masks computed a second way, for the proofs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seta_dag.tokens.mask import Mask
from seta_dag.tokens.student.engines import Ids


def scan(ids: Ids, header: Sequence[int], im_end: int) -> Mask:
    """Compute the mask as the public reference does, by searching the ids.

    `header` are the ids of `<|im_start|>assistant`, `im_end` is that of `<|im_end|>`. The mask is 1 from each
    header through the next `<|im_end|>` and the token after it, a newline. The newline after `assistant` is
    not searched for: if the content begins with newlines, it shares a token with them.
    """
    starts = np.flatnonzero(ids == header[0])
    # Keep the starts that the rest of the header follows; ids past the end are clipped and don't match.
    for offset, token in enumerate(header[1:], 1):
        starts = starts[ids.take(starts + offset, mode="clip") == token]
    ends = np.flatnonzero(ids == im_end)
    # The first end after each start; a turn that never ends reaches to the end of the row.
    stops = np.append(ends, len(ids))[np.searchsorted(ends, starts)] + 2
    return mask_of(zip(starts.tolist(), stops.tolist(), strict=True), len(ids))


def mask_of(spans: Iterable[tuple[int, int]], length: int) -> Mask:
    """Return the mask that is 1 in the spans `[start, end)`, 0 elsewhere."""
    # On purpose not shared with mask.py, whose result it is compared with.
    mask = np.zeros(length, np.int8)
    for start, end in spans:
        mask[start:end] = 1
    return mask
