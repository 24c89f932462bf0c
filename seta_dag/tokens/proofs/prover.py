"""The second way to each row: proofs that share as little as can be with what made ids and mask.

Each proof gives None where it holds, else a sentence that says which proof failed and where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from seta_dag.rollouts.conversation import Conversation
from seta_dag.tokens.mask import Mask, Tokenized, tokenize
from seta_dag.tokens.proofs.differences import decodes, differ, differ_in
from seta_dag.tokens.proofs.turns import logged_reasoning, turn_texts
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.markup import END_THINK, IM_END, IM_START, THINK, Markup
from seta_dag.tokens.student.engines import Engine, Ids, Known, Remembering
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.student.vocabulary import Decoded, Vocabulary, nfc_utf8
from seta_dag.tokens.student.windows import windows
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True)
class Prover:
    """Proves rows of one student. The reference engine is loaded when the first row asks for it."""

    student: Student
    tokenizer: StudentTokenizer
    vocabulary: Vocabulary

    @classmethod
    def load(cls, student: Student, tokenizer: StudentTokenizer) -> Prover:
        """Reads the student's vocabulary; `tokenizer` is the one that makes the rows."""
        return cls(student, tokenizer, Vocabulary.load(student))

    @cached_property
    def reference(self) -> Engine:
        """The engine that a sample of the rows is held against."""
        return self.student.engine("hf")

    @cached_property
    def _assistant(self) -> list[int]:
        ids: list[int] = self.tokenizer.engine.ordinary(["assistant"]).ids.tolist()
        return ids

    def prove(
        self,
        conversation: Conversation,
        rendered: Rendered,
        tokenized: Tokenized,
        variant: Variant,
        *,
        literal: bool,
    ) -> str | None:
        """None where every proof of the row holds but that of the reference engine, else what the first
        that fails says.

        `literal`: the row holds literal markup, which tokenizing the text whole would take for special
        tokens.
        """
        meant = nfc_utf8(rendered.utf8)
        try:
            decoded = self.vocabulary.read(tokenized.ids, meant)
            return (
                decodes(meant, decoded)
                or self.turns(conversation, tokenized, decoded, variant)
                or (self.markup if literal else self.whole_text)(rendered, tokenized, decoded)
            )
        except IndexError as error:
            return f"decodes: an id or a span lies outside its bounds ({error})"

    def turns(
        self, conversation: Conversation, tokenized: Tokenized, decoded: Decoded, variant: Variant
    ) -> str | None:
        """The trainable spans, decoded, are the conversation's assistant turns, one each, in order; the
        reasoning in them is what was logged (thinking) or none (nothink)."""
        return (
            differ("turns: mask", tokenized.mask, _covered(tokenized.spans, len(tokenized.ids)))
            or differ_in("turns", decoded.texts(tokenized.spans), turn_texts(conversation, variant))
            or self._reasoning(tokenized, decoded, logged_reasoning(conversation, variant))
        )

    def _reasoning(self, tokenized: Tokenized, decoded: Decoded, logged: list[bytes]) -> str | None:
        opening, closing = (self._trainable(tokenized, tag) for tag in (THINK, END_THINK))
        if len(opening) != len(closing):
            return f"reasoning: {len(opening)} blocks begin, {len(closing)} end"
        kept = decoded.texts(zip((opening + 1).tolist(), closing.tolist(), strict=True))
        return differ_in("reasoning", [text.strip(b"\n") for text in kept], logged)

    def _trainable(self, tokenized: Tokenized, tag: Markup) -> npt.NDArray[np.int64]:
        trainable = (tokenized.ids == self.tokenizer.markup_ids[tag]) & (tokenized.mask == 1)
        return np.flatnonzero(trainable)

    def whole_text(self, rendered: Rendered, tokenized: Tokenized, _: Decoded) -> str | None:
        """Without literal markup: the text tokenized whole gives the ids, the token scan the mask."""
        at = 0
        for window in windows(rendered.utf8):
            whole = self.tokenizer.engine.whole([window.decode()]).ids
            wrong = differ("whole_text: id", tokenized.ids[at : at + len(whole)], whole, at)
            if wrong:
                return wrong
            at += len(whole)
        return differ("whole_text: id", tokenized.ids[at:], tokenized.ids[:0], at) or differ(
            "token_scan: mask", tokenized.mask, self.scan(tokenized.ids)
        )

    def scan(self, ids: Ids) -> Mask:
        """The mask as the public reference finds it: from each assistant header through the next
        `<|im_end|>` and the newline after it.

        Of the header `<|im_start|>` and `assistant` are looked for: its newline is no token of its own
        where the content begins with newlines.
        """
        starts = np.flatnonzero(ids == self.tokenizer.markup_ids[IM_START])
        for place, token in enumerate(self._assistant, 1):
            starts = starts[ids.take(starts + place, mode="clip") == token]
        ends = np.flatnonzero(ids == self.tokenizer.markup_ids[IM_END])
        stops = np.append(ends, len(ids))[np.searchsorted(ends, starts)] + 2
        return _covered(zip(starts.tolist(), stops.tolist(), strict=True), len(ids))

    def markup(self, rendered: Rendered, tokenized: Tokenized, decoded: Decoded) -> str | None:
        """With literal markup: special tokens stand where the renderer wrote markup, and nowhere else."""
        gaps = iter(rendered.gaps)
        lengths = (len(nfc_utf8(next(gaps)) if mark is None else mark) for mark in rendered.marks)
        marks = zip(accumulate(lengths, initial=0), rendered.marks, strict=False)
        written = {(at, self.tokenizer.markup_ids[mark]) for at, mark in marks if mark is not None}
        special = np.flatnonzero(self.vocabulary.is_added[tokenized.ids])
        found = zip(decoded.offsets[special].tolist(), tokenized.ids[special].tolist(), strict=True)
        wrong = min(written.symmetric_difference(found), default=None)
        return wrong and f"markup: special token {wrong[1]} at byte {wrong[0]} is literal, or markup is not"

    def engines_agree(self, rendered: Rendered, tokenized: Tokenized, known: Known) -> str | None:
        """The reference engine gives the same ids. It is asked for a sample of the rows, since it is slow.

        `known` keeps what it made, so that what both variants of a row have in common is encoded once.
        """
        other = tokenize([rendered], Remembering(self.reference, known), self.tokenizer.markup_ids)[0]
        return differ("engines_agree: id", tokenized.ids, other.ids)


def sampled(trial_uid: str, share: float) -> bool:
    """Whether a trial is in a sample of that share (0 to 1); it depends on the uid alone (R12)."""
    digest = hashlib.sha256(trial_uid.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def _covered(spans: Iterable[tuple[int, int]], length: int) -> Mask:
    mask = np.zeros(length, np.int8)
    for first, end in spans:
        mask[first:end] = 1
    return mask
