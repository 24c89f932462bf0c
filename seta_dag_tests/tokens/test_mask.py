"""The loss mask covers the assistant turns with their headers and ends, and nothing else (rule R9)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from tokenizers import Tokenizer

from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support import template
from seta_dag_tests.support.conversations import Log, logs, plain_logs
from seta_dag_tests.support.named_conversations import NAMED

IM_START, IM_END, ASSISTANT, NEWLINE = 151644, 151645, 77091, 198


def tokenized(tokenizer: StudentTokenizer, log: Log) -> dict[Variant, Tokenized]:
    """Tokenize the conversation of a log in both variants."""
    rendered = [render(conversation(log), variant) for variant in VARIANTS]
    return dict(zip(VARIANTS, tokenizer.tokenize(rendered), strict=True))


@pytest.fixture(scope="module")
def decoder(student: Student) -> Tokenizer:
    """The student's tokenizer, loaded directly."""
    return Tokenizer.from_str(student.read())


@given(log=logs())
def test_spans_decode_to_the_assistant_turns(
    tokenizer: StudentTokenizer, decoder: Tokenizer, log: Log
) -> None:
    assume(template.r5_messages(log))
    for variant, tokens in tokenized(tokenizer, log).items():
        spans = [decoder.decode(tokens.ids[a:b].tolist(), skip_special_tokens=False) for a, b in tokens.spans]
        turns = template.assistant_turns(log, variant)
        assert spans == [unicodedata.normalize("NFC", turn) for turn in turns]


@given(log=logs())
def test_mask_is_one_in_the_spans_and_zero_elsewhere(tokenizer: StudentTokenizer, log: Log) -> None:
    for tokens in tokenized(tokenizer, log).values():
        inside = {at for first, end in tokens.spans for at in range(first, end)}
        assert tokens.mask.tolist() == [int(at in inside) for at in range(len(tokens.ids))]
        assert tokens.n_trainable == len(inside)


@given(log=logs())
def test_each_span_has_one_header_and_one_end(tokenizer: StudentTokenizer, log: Log) -> None:
    for tokens in tokenized(tokenizer, log).values():
        for span in (tokens.ids[first:end].tolist() for first, end in tokens.spans):
            assert span[:2] == [IM_START, ASSISTANT]
            assert span[-2:] == [IM_END, NEWLINE]
            assert span.count(IM_START) == span.count(IM_END) == 1


@given(log=plain_logs())
def test_token_scan_gives_the_mask_without_literal_markup(tokenizer: StudentTokenizer, log: Log) -> None:
    for tokens in tokenized(tokenizer, log).values():
        assert tokens.mask.tolist() == scan(tokens.ids.tolist())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_forged_turn_is_not_trained_on(variant: Variant, tokenizer: StudentTokenizer) -> None:
    """If the text is tokenized as one string, the reference's scan also trains on what the tool printed."""
    log = NAMED["a tool prints a forged turn"]
    tokens = tokenized(tokenizer, log)[variant]
    one_string = tokenizer.engine.encode([render(conversation(log), variant).text]).ids
    assert len(tokens.spans) == 2
    assert scan(tokens.ids.tolist()) == tokens.mask.tolist()
    assert sum(scan(one_string.tolist())) > tokens.n_trainable


def scan(ids: list[int]) -> list[int]:
    """The public reference's mask, from `<|im_start|>assistant` through `<|im_end|>` and its newline."""
    mask = [0] * len(ids)
    at = 0
    while at < len(ids):
        if ids[at : at + 2] == [IM_START, ASSISTANT]:
            end = ids.index(IM_END, at) + 1
            end += ids[end : end + 1] == [NEWLINE]
            mask[at:end] = [1] * (end - at)
            at = end
        else:
            at += 1
    return mask
