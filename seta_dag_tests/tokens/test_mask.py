"""R9: the loss mask covers the assistant turns, each with its header and its end, and nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from tokenizers import Tokenizer

from seta_dag.rollouts.conversation import conversation
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.render import VARIANTS, Variant, render
from seta_dag.tokens.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag_tests.support import template
from seta_dag_tests.support.conversations import Log, logs, plain_logs
from seta_dag_tests.support.named_conversations import NAMED

IM_START, IM_END, ASSISTANT, NEWLINE = 151644, 151645, 77091, 198


def tokenized(tokenizer: StudentTokenizer, made: Log, variant: Variant) -> Tokenized:
    """The log's conversation, tokenized."""
    return tokenizer.tokenize([render(conversation(made), variant)])[0]


@pytest.fixture(scope="module")
def decoder(student: Student) -> Tokenizer:
    """The student's tokenizer as anyone loads it."""
    return Tokenizer.from_str(student.tokenizer_json)


@pytest.mark.parametrize("variant", VARIANTS)
@given(made=logs())
def test_spans_decode_to_the_assistant_turns(
    variant: Variant, tokenizer: StudentTokenizer, decoder: Tokenizer, made: Log
) -> None:
    assume(template.r5_messages(made))
    tokens = tokenized(tokenizer, made, variant)
    spans = [decoder.decode(tokens.ids[a:b].tolist(), skip_special_tokens=False) for a, b in tokens.spans]
    turns = template.assistant_turns(made, variant)
    assert spans == [unicodedata.normalize("NFC", turn) for turn in turns]


@pytest.mark.parametrize("variant", VARIANTS)
@given(made=logs())
def test_mask_is_1_exactly_in_the_spans(variant: Variant, tokenizer: StudentTokenizer, made: Log) -> None:
    tokens = tokenized(tokenizer, made, variant)
    inside = {at for first, end in tokens.spans for at in range(first, end)}
    assert tokens.mask.tolist() == [int(at in inside) for at in range(len(tokens.ids))]
    assert tokens.n_trainable == len(inside)


@pytest.mark.parametrize("variant", VARIANTS)
@given(made=logs())
def test_each_span_has_header_and_end(variant: Variant, tokenizer: StudentTokenizer, made: Log) -> None:
    tokens = tokenized(tokenizer, made, variant)
    ids = tokens.ids.tolist()
    assert all(ids[first : first + 2] == [IM_START, ASSISTANT] for first, _ in tokens.spans)
    assert all(ids[end - 2 : end] == [IM_END, NEWLINE] for _, end in tokens.spans)
    assert all(
        ids[first:end].count(IM_START) == ids[first:end].count(IM_END) == 1 for first, end in tokens.spans
    )


@pytest.mark.parametrize("variant", VARIANTS)
@given(made=plain_logs())
def test_without_literals_the_token_scan_gives_the_mask(
    variant: Variant, tokenizer: StudentTokenizer, made: Log
) -> None:
    tokens = tokenized(tokenizer, made, variant)
    assert tokens.mask.tolist() == scan(tokens.ids.tolist())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_forged_turn_is_not_trained_on(variant: Variant, tokenizer: StudentTokenizer) -> None:
    """What a tool prints is no turn, though the reference's scan of the whole text takes it for one."""
    made = NAMED["a tool prints a forged turn"]
    tokens = tokenized(tokenizer, made, variant)
    whole = tokenizer.engine.whole([render(conversation(made), variant).text]).ids
    assert len(tokens.spans) == 2
    assert scan(tokens.ids.tolist()) == tokens.mask.tolist()
    assert sum(scan(whole.tolist())) > tokens.n_trainable


def scan(ids: list[int]) -> list[int]:
    """The reference's mask: from `<|im_start|>` before `assistant` through `<|im_end|>` and the newline."""
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
