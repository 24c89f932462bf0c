"""The proofs of a row.

They have as little code as possible in common with what gave the row its ids and its mask. Each proof returns
None if it holds, else a sentence that names the proof and the first difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from seta_dag.rollouts.conversation import Conversation
from seta_dag.tokens.mask import Mask, Tokenized, tokenize
from seta_dag.tokens.proofs.differences import compare_arrays, compare_decoded, compare_texts
from seta_dag.tokens.proofs.masks import mask_of, scan
from seta_dag.tokens.proofs.turns import logged_reasoning, turn_texts
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.markup import END_THINK, IM_END, IM_START, THINK, Markup
from seta_dag.tokens.student.caching_engine import CachingEngine, EncodingCache
from seta_dag.tokens.student.engines import Engine, Ids
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.student.vocabulary import Decoded, Vocabulary, nfc_utf8
from seta_dag.tokens.student.windows import windows
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True)
class Prover:
    """Proves rows of one student (rules R8 and R9, docs/rules.md)."""

    student: Student
    tokenizer: StudentTokenizer
    """The tokenizer that makes the rows."""
    vocabulary: Vocabulary
    """The student's vocabulary, for decoding without an engine."""

    @classmethod
    def load(cls, student: Student, tokenizer: StudentTokenizer) -> Prover:
        """Create a prover for the rows of `tokenizer`; reads the vocabulary."""
        return cls(student, tokenizer, Vocabulary.load(student))

    @cached_property
    def reference(self) -> Engine:
        """The reference engine, loaded when a row needs it for the first time."""
        return self.student.engine("hf")

    @cached_property
    def _header(self) -> list[int]:
        """The ids of `<|im_start|>assistant`."""
        assistant = self.tokenizer.engine.encode_ordinary(["assistant"]).ids
        return [self.tokenizer.markup_ids[IM_START], *assistant.tolist()]

    def prove(
        self,
        conversation: Conversation,
        rendered: Rendered,
        tokenized: Tokenized,
        variant: Variant,
        *,
        literal: bool,
    ) -> str | None:
        """Run every proof of a row except `engines_agree`.

        Of `conversation` only the assistant turns are used. `literal` says that the row has literal markup:
        then its text cannot be tokenized as one string, which would turn the literal markup into special
        tokens. Returns None if all proofs hold, else the sentence of the first that fails.
        """
        expected = nfc_utf8(rendered.utf8)
        try:
            decoded = self.vocabulary.decode_expected(tokenized.ids, expected)
            return (
                compare_decoded(expected, decoded)
                or self.turns(conversation, tokenized, decoded, variant)
                or (self.markup if literal else self.whole_text)(rendered, tokenized, decoded)
            )
        except IndexError as error:
            return f"decodes: an id or a span is out of range ({error})"

    def turns(
        self, conversation: Conversation, tokenized: Tokenized, decoded: Decoded, variant: Variant
    ) -> str | None:
        """Prove that the trainable spans are the assistant turns, one each and in order.

        In the thinking variant their reasoning must be what was logged, in nothink there must be none.
        """
        return (
            compare_arrays("turns: mask", tokenized.mask, mask_of(tokenized.spans, len(tokenized.ids)))
            or compare_texts("turns", decoded.texts(tokenized.spans), turn_texts(conversation, variant))
            or self._reasoning(tokenized, decoded, logged_reasoning(conversation, variant))
        )

    def _reasoning(self, tokenized: Tokenized, decoded: Decoded, logged: list[bytes]) -> str | None:
        # Found by special tokens, so a think block that was encoded as ordinary text is noticed.
        opening, closing = (self._trainable(tokenized, tag) for tag in (THINK, END_THINK))
        if len(opening) != len(closing):
            return f"reasoning: {len(opening)} blocks begin, {len(closing)} end"
        blocks = decoded.texts(zip((opening + 1).tolist(), closing.tolist(), strict=True))
        return compare_texts("reasoning", [text.strip(b"\n") for text in blocks], logged)

    def _trainable(self, tokenized: Tokenized, tag: Markup) -> npt.NDArray[np.int64]:
        """Return the indexes of this special token within the trainable spans."""
        trainable = (tokenized.ids == self.tokenizer.markup_ids[tag]) & (tokenized.mask == 1)
        return np.flatnonzero(trainable)

    def whole_text(self, rendered: Rendered, tokenized: Tokenized, _: Decoded) -> str | None:
        """Prove that the text as one string gives the ids, and their scan the mask."""
        at = 0
        # Window by window: the engine would need several times the memory of a long text.
        for window in windows(rendered.utf8):
            expected = self.tokenizer.engine.encode([window.decode()]).ids
            wrong = compare_arrays("whole_text: id", tokenized.ids[at : at + len(expected)], expected, at)
            if wrong:
                return wrong
            at += len(expected)
        # After the last window there must be no ids left.
        return compare_arrays("whole_text: id", tokenized.ids[at:], tokenized.ids[:0], at) or compare_arrays(
            "token_scan: mask", tokenized.mask, self.scan(tokenized.ids)
        )

    def scan(self, ids: Ids) -> Mask:
        """Compute the mask as the public reference does, by searching the ids."""
        return scan(ids, self._header, self.tokenizer.markup_ids[IM_END])

    def markup(self, rendered: Rendered, tokenized: Tokenized, decoded: Decoded) -> str | None:
        """Prove that special tokens are exactly where the renderer wrote markup."""
        gaps = iter(rendered.gaps)
        # Offsets are bytes of the NFC form, as the ids decode to it.
        lengths = (len(nfc_utf8(next(gaps)) if mark is None else mark) for mark in rendered.marks)
        marks = zip(accumulate(lengths, initial=0), rendered.marks, strict=False)
        written = {(at, self.tokenizer.markup_ids[mark]) for at, mark in marks if mark is not None}
        special = np.flatnonzero(self.vocabulary.is_added[tokenized.ids])
        found = zip(decoded.offsets[special].tolist(), tokenized.ids[special].tolist(), strict=True)
        wrong = min(written.symmetric_difference(found), default=None)
        if wrong is None:
            return None
        fault = "missing" if wrong in written else "not written by the renderer"
        return f"markup: special token {wrong[1]} at byte {wrong[0]} is {fault}"

    def engines_agree(self, rendered: Rendered, tokenized: Tokenized, cache: EncodingCache) -> str | None:
        """Prove that the reference engine gives the same ids.

        Slow, so not part of `prove`; `cache` keeps the ids of ordinary texts for the other variant.
        """
        other = tokenize([rendered], CachingEngine(self.reference, cache), self.tokenizer.markup_ids)[0]
        return compare_arrays("engines_agree: id", tokenized.ids, other.ids)
