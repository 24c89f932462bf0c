"""The second way to each row: proofs that share no code with what made its ids and its mask.

Each proof returns None where it holds, else a sentence that says which proof failed and where.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.tokens.encode import Engine, Ids
from seta_dag.tokens.markup import Markup
from seta_dag.tokens.mask import Mask, Tokenized, tokenize
from seta_dag.tokens.render import Rendered, Variant
from seta_dag.tokens.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.vocabulary import Decoded, Vocabulary

_SHOWN = 24


@dataclass(frozen=True)
class Prover:
    """Proves rows of one student. The reference engine is loaded when the first row asks for it."""

    student: Student
    tokenizer: StudentTokenizer
    vocabulary: Vocabulary

    @classmethod
    def load(cls, student: Student, tokenizer: StudentTokenizer) -> Prover:
        """Reads the vocabulary; `tokenizer` is the one that made the rows."""
        return cls(student, tokenizer, Vocabulary.load(student))

    @cached_property
    def reference(self) -> Engine:
        """The engine that a sample of the rows is held against."""
        return self.student.engine("hf")

    def prove(
        self,
        conversation: Conversation,
        rendered: Rendered,
        tokenized: Tokenized,
        variant: Variant,
        *,
        literal: bool,
        against_hf: bool,
    ) -> str | None:
        """None where every proof of the row holds, else what the first that fails says.

        `literal` tells that the row holds literal markup, which tokenizing the text whole would take
        for special tokens; `against_hf` that the row is in the sample for the reference engine.
        """
        text = nfc(rendered.text)
        try:
            decoded = self.vocabulary.decode(tokenized.ids)
        except IndexError as error:
            return f"decodes: an id that is none of the tokenizer's ({error})"
        return (
            decodes(text, decoded)
            or turns(conversation, tokenized, decoded, variant)
            or self.reasoning(conversation, tokenized, decoded, variant)
            or (self.markup(rendered, tokenized, decoded) if literal else self.whole_text(rendered, tokenized))
            or (self.engines_agree(rendered, tokenized) if against_hf else None)
        )

    def whole_text(self, rendered: Rendered, tokenized: Tokenized) -> str | None:
        """Without literal markup: the text tokenized whole gives the ids, the token scan the mask."""
        whole = self.tokenizer.engine.whole([rendered.text]).ids
        return _differ("whole_text: the id", tokenized.ids, whole) or _differ(
            "token_scan: the mask", tokenized.mask, self.scan(tokenized.ids)
        )

    def scan(self, ids: Ids) -> Mask:
        """The mask as the public reference finds it: from each assistant header to the end of its turn.

        The header is `<|im_start|>` and `assistant`: its newline is no token of its own where the
        content begins with newlines.
        """
        starts = np.flatnonzero(ids == self.tokenizer.markup_ids["<|im_start|>"])
        for place, token in enumerate(self._assistant, 1):
            starts = starts[ids.take(starts + place, mode="clip") == token]
        ends = np.flatnonzero(ids == self.tokenizer.markup_ids["<|im_end|>"])
        ends = np.append(ends, len(ids) - 1)[np.searchsorted(ends, starts)]
        return _covered(starts, np.minimum(ends + 2, len(ids)), len(ids))

    @cached_property
    def _assistant(self) -> list[int]:
        ids: list[int] = self.tokenizer.engine.ordinary(["assistant"]).ids.tolist()
        return ids

    def markup(self, rendered: Rendered, tokenized: Tokenized, decoded: Decoded) -> str | None:
        """With literal markup: special tokens stand exactly where the renderer wrote markup."""
        sizes = accumulate((len(nfc(piece)) for piece in rendered.pieces), initial=0)
        written = [
            (at, self.tokenizer.markup_ids[piece])
            for at, piece in zip(sizes, rendered.pieces, strict=False)
            if type(piece) is Markup
        ]
        special = np.flatnonzero(self.vocabulary.is_added[tokenized.ids])
        found = list(zip(decoded.offsets[special].tolist(), tokenized.ids[special].tolist(), strict=True))
        if found == written:
            return None
        at, token = min(set(found).symmetric_difference(written))
        return f"markup: special token {token} at byte {at} is not both in the ids and written by the renderer"

    def reasoning(
        self, conversation: Conversation, tokenized: Tokenized, decoded: Decoded, variant: Variant
    ) -> str | None:
        """The reasoning kept is the reasoning logged, turn by turn; in the nothink variant there is none."""
        opening, closing = (
            np.flatnonzero((tokenized.ids == self.tokenizer.markup_ids[tag]) & (tokenized.mask == 1))
            for tag in ("<think>", "</think>")
        )
        if len(opening) != len(closing):
            return f"reasoning: {len(opening)} blocks begin and {len(closing)} end"
        bounds = zip(decoded.offsets[opening + 1].tolist(), decoded.offsets[closing].tolist(), strict=True)
        kept = [decoded.data[start:end].strip(b"\n") for start, end in bounds]
        logged = _logged_reasoning(conversation) if variant == "thinking" else []
        return None if kept == logged else f"reasoning: {_first_other(kept, logged)}"

    def engines_agree(self, rendered: Rendered, tokenized: Tokenized) -> str | None:
        """The reference engine gives the same ids and the same mask."""
        other = tokenize([rendered], self.reference, self.tokenizer.markup_ids)[0]
        return _differ("engines_agree: the id", tokenized.ids, other.ids) or _differ(
            "engines_agree: the mask", tokenized.mask, other.mask
        )


def sampled(trial_uid: str, share: float) -> bool:
    """Whether a trial is in a sample of that share; it depends on the uid alone (R12)."""
    digest = hashlib.sha256(trial_uid.encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def nfc(text: str) -> bytes:
    """The NFC form, as UTF-8. Line by line, which is the same: nothing composes across a newline."""
    if text.isascii():
        return text.encode()
    lines = [line if line.isascii() else unicodedata.normalize("NFC", line) for line in text.split("\n")]
    return "\n".join(lines).encode()


def decodes(text: bytes, decoded: Decoded) -> str | None:
    """The bytes of the ids, joined, are the NFC form of the text."""
    if decoded.data == text:
        return None
    ours, whole = np.frombuffer(decoded.data, np.uint8), np.frombuffer(text, np.uint8)
    at = _first_difference(ours, whole)
    token = int(np.searchsorted(decoded.offsets, at, "right")) - 1
    read, meant = decoded.data[at : at + _SHOWN], text[at : at + _SHOWN]
    return f"decodes: from token {token} on the ids read {read!r}, the text {meant!r}"


def turns(conversation: Conversation, tokenized: Tokenized, decoded: Decoded, variant: Variant) -> str | None:
    """The trainable spans, decoded, are the assistant turns of the conversation, one each, in order."""
    bounds = np.array(tokenized.spans, np.int64).reshape(-1, 2)
    inside = _covered(bounds[:, 0], bounds[:, 1], len(tokenized.ids))
    at = decoded.offsets[bounds].tolist()
    spans = [decoded.data[start:end] for start, end in at]
    meant = [nfc(text) for text in _assistant_texts(conversation, variant)]
    return _differ("turns: the mask", tokenized.mask, inside) or (
        None if spans == meant else f"turns: {_first_other(spans, meant)}"
    )


def _assistant_texts(conversation: Conversation, variant: Variant) -> Iterable[str]:
    last = conversation.turns[-1]
    for turn in conversation.turns:
        if turn.role == "assistant":
            yield _assistant_text(turn, turn is last, variant)


def _assistant_text(turn: Turn, last: bool, variant: Variant) -> str:
    """What R6 and R7 say of one assistant turn, as one string."""
    reasoning = turn.reasoning if variant == "thinking" else ""
    has_block = bool(reasoning) or (last and variant == "thinking")
    inner = reasoning.strip("\n")
    block = f"<think>\n{inner}\n</think>\n\n" if has_block else ""
    content = turn.content.lstrip("\n") if reasoning or last else turn.content
    calls = "\n".join(
        f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>'
        for call in turn.calls
    )
    gap = "\n" if turn.content and calls else ""
    return f"<|im_start|>assistant\n{block}{content}{gap}{calls}<|im_end|>\n"


def _logged_reasoning(conversation: Conversation) -> list[bytes]:
    """The reasoning of each assistant turn that is to have a block; the last message always has one."""
    last = conversation.turns[-1]
    return [
        nfc(turn.reasoning.strip("\n"))
        for turn in conversation.turns
        if turn.role == "assistant" and (turn.reasoning or turn is last)
    ]


def _covered(starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], length: int) -> Mask:
    """1 from each start up to its end, 0 elsewhere."""
    steps = np.zeros(length + 1, np.int8)
    np.add.at(steps, starts, 1)
    np.subtract.at(steps, ends, 1)
    return (np.cumsum(steps[:-1], dtype=np.int8) > 0).view(np.int8)


def _differ(what: str, ours: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> str | None:
    if np.array_equal(ours, other):
        return None
    at = _first_difference(ours, other)
    there = [str(one[at]) if at < len(one) else "none" for one in (ours, other)]
    return f"{what} of token {at} is {there[0]}, the proof gives {there[1]}"


def _first_difference(ours: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> int:
    """The first place where they differ: where the shorter ends, at the latest."""
    shorter = min(len(ours), len(other))
    different = np.flatnonzero(ours[:shorter] != other[:shorter])
    return int(different[0]) if len(different) else shorter


def _first_other(ours: list[bytes], meant: list[bytes]) -> str:
    if len(ours) != len(meant):
        return f"{len(ours)} in the row, {len(meant)} in the conversation"
    place = next(i for i, (a, b) in enumerate(zip(ours, meant, strict=True)) if a != b)
    return f"number {place} reads {ours[place][:_SHOWN]!r}, the conversation has {meant[place][:_SHOWN]!r}"
