"""Decoding without an engine, and the NFC form that decoding gives."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.tokens.renderers.markup import ADDED_TOKENS
from seta_dag.tokens.student.engines import Engine
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.student.vocabulary import Vocabulary, nfc
from seta_dag.tokens.tokenizer import StudentTokenizer

# Marks that compose with the character before them, even if that is ASCII, and with each other.
COMPOSING = st.text(st.sampled_from("ae<>=|_K\n \u0301\u0338\u0327\u212b\u1100\u1161\u11a8\u0958\ufb1d€😀"))
TEXT = st.lists(st.one_of(st.text(), COMPOSING, st.sampled_from(["<|im_end|>\n", *ADDED_TOKENS]))).map(
    "".join
)


@pytest.fixture(scope="module")
def vocabulary(student: Student) -> Vocabulary:
    return Vocabulary.load(student)


def test_is_added_marks_the_added_tokens(vocabulary: Vocabulary) -> None:
    added = vocabulary.tokens.filter(vocabulary.is_added).to_pylist()
    assert added == [token.encode() for token in ADDED_TOKENS]


def test_every_byte_is_a_token(vocabulary: Vocabulary) -> None:
    assert {bytes([byte]) for byte in range(256)} <= set(vocabulary.tokens.to_pylist())


@given(text=TEXT)
def test_nfc_line_by_line_is_nfc(text: str) -> None:
    assert nfc(text).decode() == unicodedata.normalize("NFC", text)


@given(text=TEXT)
def test_ids_decode_to_the_nfc_form(text: str, vocabulary: Vocabulary, tokenizer: StudentTokenizer) -> None:
    assert vocabulary.decode(tokenizer.engine.encode_ordinary([text]).ids).data == nfc(text)


def test_offsets_are_those_of_the_tokens(vocabulary: Vocabulary, reference: Engine) -> None:
    ids = reference.encode(["<|im_start|>assistant\n😀 é"]).ids
    decoded = vocabulary.decode(ids)
    spans = [(place, place + 1) for place in range(len(ids))]
    assert decoded.texts(spans) == [vocabulary.tokens[token].as_py() for token in ids.tolist()]


@pytest.mark.parametrize("token", [-1, 151_669])
def test_an_id_without_a_token_raises(token: int, vocabulary: Vocabulary) -> None:
    with pytest.raises(IndexError):
        vocabulary.decode(np.array([token], np.int32))


def test_nfc_uses_the_unicode_version_of_the_tokenizers() -> None:
    text = "\U00011935\U00011930"  # composes since Unicode 13, which the tokenizers do not know
    assert nfc(text) == text.encode()
