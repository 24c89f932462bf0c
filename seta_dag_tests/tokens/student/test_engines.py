"""Both engines give the same ids, and only the renderer's markup becomes special tokens (rule R8)."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.markup import ADDED_TOKENS, Markup
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student.engines import Engine, EngineName, Ids, concat
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.conversations import Log, logs, plain_logs, texts
from seta_dag_tests.support.named_conversations import NAMED
from seta_dag_tests.support.places import PLACES

FIRST_ADDED = 151643
LONG = {
    "a long line": "x" * 20_000,
    "spaces": " " * 5_000,
    "newlines": "\n" * 5_000,
    "digits": "1234567890" * 500,
    "one letter, many accents": "e" + "\u0301" * 500,
    "emoji": "👩‍👩‍👧‍👦" * 300,
    "incomplete tags": "<|im_" * 2_000,
    "every added token": "".join(ADDED_TOKENS),
    "hangul to compose": "\u1112\u1161\u11ab" * 300,
    "control characters": "".join(map(chr, range(32))),
    "every plane": "".join(chr(c) for c in range(0x80, 0x20000, 97) if not 0xD800 <= c < 0xE000),
    "no text": "",
}


def assert_equal_ids(one: Engine, other: Engine, given_texts: list[str]) -> None:
    """Assert that two engines give the same ids, with and without added tokens."""
    for method in ("encode_ordinary", "encode"):
        first, second = getattr(one, method)(given_texts), getattr(other, method)(given_texts)
        assert np.array_equal(first.ids, second.ids)
        assert np.array_equal(first.offsets, second.offsets)


@given(given_texts=st.lists(texts(), max_size=5))
def test_engines_agree(tokenizer: StudentTokenizer, reference: Engine, given_texts: list[str]) -> None:
    assert_equal_ids(tokenizer.engine, reference, given_texts)


@pytest.mark.parametrize("name", LONG)
def test_engines_agree_on_long_text(name: str, tokenizer: StudentTokenizer, reference: Engine) -> None:
    assert_equal_ids(tokenizer.engine, reference, [LONG[name]])


@pytest.mark.parametrize("variant", VARIANTS)
def test_engines_agree_on_conversations(
    variant: Variant, tokenizer: StudentTokenizer, reference: Engine
) -> None:
    rendered = [render(conversation(log), variant) for log in NAMED.values()]
    other = StudentTokenizer(reference, tokenizer.markup_ids)
    ids = [one.ids.tolist() for one in tokenizer.tokenize(rendered)]
    assert ids == [one.ids.tolist() for one in other.tokenize(rendered)]


@given(given_texts=st.lists(texts(), max_size=5))
def test_ordinary_text_never_gives_an_added_token(
    tokenizer: StudentTokenizer, given_texts: list[str]
) -> None:
    assert not (tokenizer.engine.encode_ordinary(given_texts).ids >= FIRST_ADDED).any()


@given(given_texts=st.lists(texts(), max_size=5))
def test_texts_encoded_together_do_not_affect_each_other(
    tokenizer: StudentTokenizer, given_texts: list[str]
) -> None:
    alone = concat([tokenizer.engine.encode_ordinary([text]).ids for text in given_texts])
    together = tokenizer.engine.encode_ordinary(given_texts)
    assert np.array_equal(alone.ids, together.ids)
    assert np.array_equal(alone.offsets, together.offsets)


@pytest.mark.parametrize(
    ("place", "engine"), [*((place, "fastokens") for place in PLACES), ("tool output", "hf")]
)
def test_literal_markup_stays_text(
    place: str, engine: EngineName, tokenizer: StudentTokenizer, reference: Engine
) -> None:
    used = tokenizer if engine == "fastokens" else StudentTokenizer(reference, tokenizer.markup_ids)
    rendered = [one for token in ADDED_TOKENS for one in both_variants(PLACES[place](f"a{token}b"))]
    for one, tokens in zip(rendered, used.tokenize(rendered), strict=True):
        assert added(tokens.ids) == markup_ids(one, tokenizer)


@given(log=logs())
def test_added_tokens_are_the_markup_and_nothing_else(tokenizer: StudentTokenizer, log: Log) -> None:
    rendered = both_variants(log)
    for one, tokens in zip(rendered, tokenizer.tokenize(rendered), strict=True):
        assert added(tokens.ids) == markup_ids(one, tokenizer)


@given(log=plain_logs())
def test_the_text_as_one_string_gives_the_ids_without_literal_markup(
    tokenizer: StudentTokenizer, reference: Engine, log: Log
) -> None:
    rendered = both_variants(log)
    for one, tokens in zip(rendered, tokenizer.tokenize(rendered), strict=True):
        assert np.array_equal(tokens.ids, reference.encode([one.text]).ids)
        assert np.array_equal(tokens.ids, tokenizer.engine.encode([one.text]).ids)


@given(log=logs())
def test_ids_decode_to_the_nfc_form(tokenizer: StudentTokenizer, decoder: Tokenizer, log: Log) -> None:
    rendered = both_variants(log)
    for one, tokens in zip(rendered, tokenizer.tokenize(rendered), strict=True):
        text = decoder.decode(tokens.ids.tolist(), skip_special_tokens=False)
        assert text == unicodedata.normalize("NFC", one.text)


@given(drawn=st.lists(logs(), max_size=2))
def test_conversations_encoded_together_do_not_affect_each_other(
    tokenizer: StudentTokenizer, drawn: list[Log]
) -> None:
    rendered = [one for log in drawn for one in both_variants(log)]
    alone = [tokenizer.tokenize([one])[0] for one in rendered]
    for one, other in zip(tokenizer.tokenize(rendered), alone, strict=True):
        assert np.array_equal(one.ids, other.ids)
        assert np.array_equal(one.mask, other.mask)
        assert one.spans == other.spans


def both_variants(log: Log) -> list[Rendered]:
    """Render the conversation of a log in both variants."""
    return [render(conversation(log), variant) for variant in VARIANTS]


@pytest.fixture(scope="module")
def decoder(student: Student) -> Tokenizer:
    """The student's tokenizer, loaded directly."""
    return Tokenizer.from_str(student.read())


def added(ids: Ids) -> list[int]:
    """The ids of added tokens among these, in order."""
    return [token for token in ids.tolist() if token >= FIRST_ADDED]


def markup_ids(one: Rendered, tokenizer: StudentTokenizer) -> list[int]:
    """The ids of the rendered markup, in order."""
    return [tokenizer.markup_ids[piece] for piece in one.pieces if type(piece) is Markup]
