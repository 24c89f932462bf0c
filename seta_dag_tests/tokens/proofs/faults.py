"""Faults that a row can have, each with the start of the sentence of the proof that notices it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag_tests.tokens.proofs.rows import HEADER, ORDINARY, Row, chat

Fault = Callable[[Row, Prover], Row]


def flipped_id(row: Row, prover: Prover) -> Row:
    ids = row.tokenized.ids.copy()
    ids[5] ^= 1
    return row.with_tokens(ids=ids)


def id_of_no_token(row: Row, prover: Prover) -> Row:
    ids = row.tokenized.ids.copy()
    ids[5] = 151_669
    return row.with_tokens(ids=ids)


def last_token_missing(row: Row, prover: Prover) -> Row:
    return row.with_tokens(ids=row.tokenized.ids[:-1], mask=row.tokenized.mask[:-1])


def span_past_the_end(row: Row, prover: Prover) -> Row:
    *spans, (first, end) = row.tokenized.spans
    return row.with_tokens(spans=(*spans, (first, end + 1)))


def split_into_letters(row: Row, prover: Prover) -> Row:
    """Encode the token `assistant` of the last turn letter by letter, which decodes to the same text."""
    ids, place = row.tokenized.ids, row.tokenized.spans[-1][0] + 1
    letters = prover.vocabulary.tokens[int(ids[place])].as_py().decode()
    split = np.concatenate([prover.tokenizer.engine.encode_ordinary([letter]).ids for letter in letters])
    mask = np.insert(row.tokenized.mask, place, [1] * (len(split) - 1))
    first, end = row.tokenized.spans[-1]
    spans = (*row.tokenized.spans[:-1], (first, end + len(split) - 1))
    changed = np.concatenate([ids[:place], split, ids[place + 1 :]])
    return replace(row, tokenized=Tokenized(changed, mask, spans))


def split_into_letters_with_literals(row: Row, prover: Prover) -> Row:
    """With literal markup the text cannot be tokenized as one string, so only the other engine notices."""
    return replace(split_into_letters(row, prover), literal=True, against_hf=True)


def mask_shifted(row: Row, prover: Prover) -> Row:
    return row.with_tokens(mask=np.roll(row.tokenized.mask, 1))


def mask_and_spans_shifted(row: Row, prover: Prover) -> Row:
    spans = tuple((first - 1, end - 1) for first, end in row.tokenized.spans)
    return row.with_tokens(mask=np.roll(row.tokenized.mask, -1), spans=spans)


def mask_too_short(row: Row, prover: Prover) -> Row:
    return row.with_tokens(mask=row.tokenized.mask[:-1])


def mask_of_twos(row: Row, prover: Prover) -> Row:
    return row.with_tokens(mask=row.tokenized.mask * 2)


def turn_not_trained_on(row: Row, prover: Prover) -> Row:
    (first, end), *others = row.tokenized.spans
    mask = row.tokenized.mask.copy()
    mask[first:end] = 0
    return row.with_tokens(mask=mask, spans=tuple(others))


def two_turns_as_one_span(row: Row, prover: Prover) -> Row:
    *others, (first, _), (_, end) = row.tokenized.spans
    return row.with_tokens(spans=(*others, (first, end)))


def spans_out_of_order(row: Row, prover: Prover) -> Row:
    return row.with_tokens(spans=row.tokenized.spans[::-1])


def other_content_logged(row: Row, prover: Prover) -> Row:
    *turns, last = row.conversation.turns
    conversation = replace(row.conversation, turns=(*turns, replace(last, content=f"{last.content} ")))
    return replace(row, conversation=conversation)


def reasoning_missing(row: Row, prover: Prover) -> Row:
    turns = tuple(replace(turn, reasoning="") for turn in row.conversation.turns)
    bare = render(replace(row.conversation, turns=turns), row.variant)
    return replace(row, rendered=bare, tokenized=prover.tokenizer.tokenize([bare])[0])


def reasoning_kept_in_nothink(row: Row, prover: Prover) -> Row:
    return replace(row, variant="nothink")


def as_ordinary_text(row: Row, prover: Prover, *tags: str) -> Row:
    """The same text, but these tags are encoded as ordinary text."""
    plain = replace(row.rendered, marks=tuple(None if mark in tags else mark for mark in row.rendered.marks))
    return replace(row, rendered=plain, tokenized=prover.tokenizer.tokenize([plain])[0], literal=True)


def think_as_ordinary_text(row: Row, prover: Prover) -> Row:
    return as_ordinary_text(row, prover, "<think>", "</think>")


def end_of_think_as_ordinary_text(row: Row, prover: Prover) -> Row:
    return as_ordinary_text(row, prover, "</think>")


def end_as_ordinary_text(row: Row, prover: Prover) -> Row:
    return replace(as_ordinary_text(row, prover, "<|im_end|>"), rendered=row.rendered)


def literals_recognized(row: Row, prover: Prover) -> Row:
    """The literal markup in a user's text becomes special tokens, which moves the spans after it."""
    pieces = list(row.rendered.pieces)
    encoded = prover.tokenizer.engine.encode(pieces)
    ends = encoded.offsets
    spans = tuple((int(ends[first]), int(ends[end])) for first, end in row.rendered.spans)
    mask = np.zeros(len(encoded.ids), np.int8)
    for first, end in spans:
        mask[first:end] = 1
    return replace(row, tokenized=Tokenized(encoded.ids, mask, spans))


def literals_unflagged(row: Row, prover: Prover) -> Row:
    return replace(literals_recognized(row, prover), literal=False)


USER_LITERAL = chat(Turn("user", f"Say {HEADER}x<|im_end|>\n"), Turn("assistant", "No."))
FAULTS: list[tuple[Fault, Conversation, str]] = [
    (flipped_id, ORDINARY, "decodes: token 5"),
    (id_of_no_token, ORDINARY, "decodes: an id"),
    (last_token_missing, ORDINARY, "decodes: token"),
    (span_past_the_end, ORDINARY, "decodes: an id or a span"),
    (split_into_letters, ORDINARY, "whole_text: id of token"),
    (split_into_letters_with_literals, ORDINARY, "engines_agree: id of token"),
    (mask_shifted, ORDINARY, "turns: mask of token"),
    (mask_and_spans_shifted, ORDINARY, "turns: number 1 has"),
    (mask_too_short, ORDINARY, "turns: mask of token"),
    (mask_of_twos, ORDINARY, "turns: mask of token"),
    (turn_not_trained_on, ORDINARY, "turns: 2 in the row, 3 in the conversation"),
    (two_turns_as_one_span, ORDINARY, "turns: 2 in the row, 3 in the conversation"),
    (spans_out_of_order, ORDINARY, "turns: number 1 has"),
    (other_content_logged, ORDINARY, "turns: number 3 has"),
    (reasoning_missing, ORDINARY, "turns: number 1 has"),
    (reasoning_kept_in_nothink, ORDINARY, "turns: number 1 has"),
    (think_as_ordinary_text, ORDINARY, "reasoning: 0 in the row, 3 in the conversation"),
    (end_of_think_as_ordinary_text, ORDINARY, "reasoning: 3 blocks begin, 0 end"),
    (end_as_ordinary_text, ORDINARY, "markup: special token 151645 at byte 36 is missing"),
    (literals_recognized, USER_LITERAL, "markup: special token 151644 at byte 21 is not written"),
    (literals_unflagged, USER_LITERAL, "token_scan: mask of token"),
]
