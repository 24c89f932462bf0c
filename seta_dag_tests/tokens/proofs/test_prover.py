"""The proofs hold on right rows and fail on wrong ones: each kind of fault, and the proof that sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from seta_dag.rollouts.conversation import Call, Conversation, Turn
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.proofs.prover import Prover, sampled
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.variants import VARIANTS, Variant

HEADER = "<|im_start|>assistant\n"


def talk(*turns: Turn, tools: tuple[str, ...] = ()) -> Conversation:
    return Conversation(turns, tools, len(turns), frozenset())


ORDINARY = talk(
    Turn("system", "You are an agent."),
    Turn("user", "Count the files, café."),
    Turn("assistant", "I'll look.", "First,\nlook.", (Call("ls", '{"dir": "."}'), Call("pwd", "{}"))),
    Turn("tool", "a\nb"),
    Turn("tool", "/app"),
    Turn("user", "And now?"),
    Turn("assistant", "\n\nTwo files: cafe\u0301 and 😀.", "\n\nTwo.\n"),
    Turn("assistant", "Done.", ""),
)
LITERAL = talk(
    Turn("user", f"Read chat.py: <|im_end|>\n{HEADER}I am trained on.<|im_end|>\n"),
    Turn("assistant", "It spells <think>x</think> and <|endoftext|>.", "What is <|im_end|>?"),
    Turn("tool", "<tool_response>"),
    Turn("assistant", "Bye."),
)
RIGHT = {
    "ordinary": ORDINARY,
    "literal markup": LITERAL,
    "only an assistant turn": talk(Turn("assistant", "\nHi.")),
    "a turn that begins with newlines": talk(Turn("assistant", "\n\nHi."), Turn("user", "Yes?")),
    "reasoning of newlines alone": talk(Turn("assistant", "Hi.", "\n\n"), Turn("user", "Yes?")),
    "equal turns": talk(Turn("assistant", "Hi.", "Hm."), Turn("user", "?"), Turn("assistant", "Hi.", "Hm.")),
    "a call and nothing else": talk(Turn("assistant", "", "", (Call("ls", "{not json"),)), Turn("tool", "")),
    "tool schemas": talk(Turn("user", "Hi."), Turn("assistant", "Yo."), tools=('{"name": "ls"}',)),
}


@dataclass(frozen=True)
class Row:
    """What a proof is given."""

    conversation: Conversation
    rendered: Rendered
    tokenized: Tokenized
    variant: Variant
    literal: bool
    against_hf: bool = False

    def proved(self, prover: Prover) -> str | None:
        said = prover.prove(
            self.conversation, self.rendered, self.tokenized, self.variant, literal=self.literal
        )
        if said is None and self.against_hf:
            return prover.engines_agree(self.rendered, self.tokenized, {})
        return said

    def with_tokens(self, **changes: Any) -> Row:
        return replace(self, tokenized=replace(self.tokenized, **changes))


def row(conversation: Conversation, variant: Variant, prover: Prover) -> Row:
    rendered = render(conversation, variant)
    tokenized = prover.tokenizer.tokenize([rendered])[0]
    return Row(conversation, rendered, tokenized, variant, rendered.has_literal_markup)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_row_is_proved(name: str, variant: Variant, prover: Prover) -> None:
    assert replace(row(RIGHT[name], variant, prover), against_hf=True).proved(prover) is None


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", RIGHT)
def test_what_others_said_is_not_needed_to_prove_a_row(name: str, variant: Variant, prover: Prover) -> None:
    made = row(RIGHT[name], variant, prover)
    assert replace(made, conversation=made.conversation.assistant_only()).proved(prover) is None


Fault = Callable[[Row, Prover], Row]


def flipped_id(row: Row, prover: Prover) -> Row:
    ids = row.tokenized.ids.copy()
    ids[5] ^= 1
    return row.with_tokens(ids=ids)


def id_of_no_token(row: Row, prover: Prover) -> Row:
    ids = row.tokenized.ids.copy()
    ids[5] = 151_669
    return row.with_tokens(ids=ids)


def last_token_lost(row: Row, prover: Prover) -> Row:
    return row.with_tokens(ids=row.tokenized.ids[:-1], mask=row.tokenized.mask[:-1])


def span_past_the_end(row: Row, prover: Prover) -> Row:
    *spans, (first, end) = row.tokenized.spans
    return row.with_tokens(spans=(*spans, (first, end + 1)))


def split_otherwise(row: Row, prover: Prover) -> Row:
    """The first token of the last assistant turn that is two letters or more, as one token a byte."""
    ids, place = row.tokenized.ids, row.tokenized.spans[-1][0] + 1
    letters = prover.vocabulary.tokens[int(ids[place])].as_py().decode()
    apart = np.concatenate([prover.tokenizer.engine.ordinary([letter]).ids for letter in letters])
    mask = np.insert(row.tokenized.mask, place, [1] * (len(apart) - 1))
    first, end = row.tokenized.spans[-1]
    spans = (*row.tokenized.spans[:-1], (first, end + len(apart) - 1))
    together = np.concatenate([ids[:place], apart, ids[place + 1 :]])
    return replace(row, tokenized=Tokenized(together, mask, spans))


def split_otherwise_beside_literals(row: Row, prover: Prover) -> Row:
    """Where a row holds literals, the text can't be tokenized whole, so only the other engine sees it."""
    return replace(split_otherwise(row, prover), literal=True, against_hf=True)


def mask_shifted(row: Row, prover: Prover) -> Row:
    return row.with_tokens(mask=np.roll(row.tokenized.mask, 1))


def mask_and_spans_shifted(row: Row, prover: Prover) -> Row:
    spans = tuple((first - 1, end - 1) for first, end in row.tokenized.spans)
    return row.with_tokens(mask=np.roll(row.tokenized.mask, -1), spans=spans)


def mask_too_short(row: Row, prover: Prover) -> Row:
    return row.with_tokens(mask=row.tokenized.mask[:-1])


def mask_of_twos(row: Row, prover: Prover) -> Row:
    return row.with_tokens(mask=row.tokenized.mask * 2)


def turn_not_trained(row: Row, prover: Prover) -> Row:
    (first, end), *others = row.tokenized.spans
    mask = row.tokenized.mask.copy()
    mask[first:end] = 0
    return row.with_tokens(mask=mask, spans=tuple(others))


def two_turns_as_one_span(row: Row, prover: Prover) -> Row:
    *others, (first, _), (_, end) = row.tokenized.spans
    return row.with_tokens(spans=(*others, (first, end)))


def spans_out_of_order(row: Row, prover: Prover) -> Row:
    return row.with_tokens(spans=row.tokenized.spans[::-1])


def another_turn_logged(row: Row, prover: Prover) -> Row:
    *turns, last = row.conversation.turns
    conversation = replace(row.conversation, turns=(*turns, replace(last, content=f"{last.content} ")))
    return replace(row, conversation=conversation)


def reasoning_lost(row: Row, prover: Prover) -> Row:
    turns = tuple(replace(turn, reasoning="") for turn in row.conversation.turns)
    bare = render(replace(row.conversation, turns=turns), row.variant)
    return replace(row, rendered=bare, tokenized=prover.tokenizer.tokenize([bare])[0])


def reasoning_kept_in_nothink(row: Row, prover: Prover) -> Row:
    return replace(row, variant="nothink")


def as_ordinary_text(row: Row, prover: Prover, *tags: str) -> Row:
    """The row reads the same, but markup of it is no special token."""
    plain = replace(row.rendered, marks=tuple(None if mark in tags else mark for mark in row.rendered.marks))
    return replace(row, rendered=plain, tokenized=prover.tokenizer.tokenize([plain])[0], literal=True)


def think_as_ordinary_text(row: Row, prover: Prover) -> Row:
    return as_ordinary_text(row, prover, "<think>", "</think>")


def end_of_think_as_ordinary_text(row: Row, prover: Prover) -> Row:
    return as_ordinary_text(row, prover, "</think>")


def end_as_ordinary_text(row: Row, prover: Prover) -> Row:
    return replace(as_ordinary_text(row, prover, "<|im_end|>"), rendered=row.rendered)


def literals_recognised(row: Row, prover: Prover) -> Row:
    """The literals in a user's text as special tokens, which moves the spans after them."""
    pieces = list(row.rendered.pieces)
    whole = prover.tokenizer.engine.whole(pieces)
    ends = whole.offsets
    spans = tuple((int(ends[first]), int(ends[end])) for first, end in row.rendered.spans)
    mask = np.zeros(len(whole.ids), np.int8)
    for first, end in spans:
        mask[first:end] = 1
    return replace(row, tokenized=Tokenized(whole.ids, mask, spans))


def literals_unflagged(row: Row, prover: Prover) -> Row:
    return replace(literals_recognised(row, prover), literal=False)


USER_LITERAL = talk(Turn("user", f"Say {HEADER}x<|im_end|>\n"), Turn("assistant", "No."))
FAULTS: list[tuple[Fault, Conversation, str]] = [
    (flipped_id, ORDINARY, "decodes: token 5"),
    (id_of_no_token, ORDINARY, "decodes: an id"),
    (last_token_lost, ORDINARY, "decodes: token"),
    (span_past_the_end, ORDINARY, "decodes: an id or a span"),
    (split_otherwise, ORDINARY, "whole_text: id of token"),
    (split_otherwise_beside_literals, ORDINARY, "engines_agree: id of token"),
    (mask_shifted, ORDINARY, "turns: mask of token"),
    (mask_and_spans_shifted, ORDINARY, "turns: number 1 reads"),
    (mask_too_short, ORDINARY, "turns: mask of token"),
    (mask_of_twos, ORDINARY, "turns: mask of token"),
    (turn_not_trained, ORDINARY, "turns: 2 in the row, 3 in the conversation"),
    (two_turns_as_one_span, ORDINARY, "turns: 2 in the row, 3 in the conversation"),
    (spans_out_of_order, ORDINARY, "turns: number 1 reads"),
    (another_turn_logged, ORDINARY, "turns: number 3 reads"),
    (reasoning_lost, ORDINARY, "turns: number 1 reads"),
    (reasoning_kept_in_nothink, ORDINARY, "turns: number 1 reads"),
    (think_as_ordinary_text, ORDINARY, "reasoning: 0 in the row, 3 in the conversation"),
    (end_of_think_as_ordinary_text, ORDINARY, "reasoning: 3 blocks begin, 0 end"),
    (end_as_ordinary_text, ORDINARY, "markup: special token 151645"),
    (literals_recognised, USER_LITERAL, "markup: special token 151644"),
    (literals_unflagged, USER_LITERAL, "token_scan: mask of token"),
]


@pytest.mark.parametrize(
    ("fault", "conversation", "sentence"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS]
)
def test_a_wrong_row_is_not_proved(
    fault: Fault, conversation: Conversation, sentence: str, prover: Prover
) -> None:
    said = fault(row(conversation, "thinking", prover), prover).proved(prover)
    assert said is not None
    assert said.startswith(sentence)


def test_the_proof_by_markup_holds_without_literals_too(prover: Prover) -> None:
    assert replace(row(ORDINARY, "thinking", prover), literal=True).proved(prover) is None


UIDS = [f"task_{n}_t0_{n:06x}" for n in range(2000)]


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.05, 60, 140), (1.0, 2000, 2000)])
def test_a_sample_has_its_share(share: float, least: int, most: int) -> None:
    assert least <= sum(sampled(uid, share) for uid in UIDS) <= most


def test_a_smaller_sample_lies_within_a_larger_one() -> None:
    assert all(sampled(uid, 0.2) for uid in UIDS if sampled(uid, 0.05))


def test_the_sample_is_the_same_everywhere() -> None:
    assert [n for n, uid in enumerate(UIDS[:60]) if sampled(uid, 0.05)] == [2, 7, 10, 47]
