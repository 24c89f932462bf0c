"""`decode_expected` returns what `decode` returns, and the expected text itself if that is equal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.tokens.student import vocabulary as module
from seta_dag.tokens.student.engines import Ids
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.student.vocabulary import Decoded, Vocabulary

VOCABULARY = 151_669


@pytest.fixture(scope="module")
def vocabulary(student: Student) -> Vocabulary:
    return Vocabulary.load(student)


@pytest.fixture(scope="module")
def by_length(vocabulary: Vocabulary) -> list[list[int]]:
    """Up to 20 tokens of each length, shortest first."""
    lengths = np.diff(vocabulary.decode(np.arange(VOCABULARY, dtype=np.int32)).offsets)
    return [np.flatnonzero(lengths == n)[:20].tolist() for n in sorted(set(lengths.tolist())) if n]


@pytest.fixture(params=[1 << 20, 1, 3])
def _batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode all tokens at once, one by one, and a few at a time."""
    monkeypatch.setattr(module, "_BATCH", request.param)


def draw_ids(data: st.DataObject, by_length: list[list[int]], least: int = 0) -> Ids:
    """Up to 30 ids, of tokens of all lengths."""
    of_length = st.sampled_from(by_length).flatmap(st.sampled_from)
    drawn = data.draw(st.lists(of_length | st.integers(0, VOCABULARY - 1), min_size=least, max_size=30))
    return np.array(drawn, np.int32)


def spells(vocabulary: Vocabulary, ids: Ids, text: bytes) -> bool:
    """Return True if the ids decode to `text`; assert that `decode_expected` agrees with `decode`."""
    found, decoded = vocabulary.decode_expected(ids, text), vocabulary.decode(ids)
    assert found.data == decoded.data and np.array_equal(found.offsets, decoded.offsets)
    assert (found.data is text) == (decoded.data == text) or not text
    return found.data == text


def test_all_tokens_in_order_spell_the_vocabulary(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.tokens) == VOCABULARY
    ids = np.arange(VOCABULARY, dtype=np.int32)
    assert max(map(len, vocabulary.tokens.to_pylist())) == 128
    assert spells(vocabulary, ids, b"".join(vocabulary.tokens.to_pylist()))


@pytest.mark.usefixtures("_batch")
@given(data=st.data())
def test_ids_spell_what_they_decode_to(
    data: st.DataObject, vocabulary: Vocabulary, by_length: list[list[int]]
) -> None:
    ids = draw_ids(data, by_length)
    decoded: Decoded = vocabulary.decode(ids)
    assert spells(vocabulary, ids, decoded.data)


@pytest.mark.usefixtures("_batch")
@given(data=st.data())
def test_ids_do_not_spell_a_text_with_one_byte_changed(
    data: st.DataObject, vocabulary: Vocabulary, by_length: list[list[int]]
) -> None:
    ids = draw_ids(data, by_length, 1)
    text = bytearray(vocabulary.decode(ids).data)
    text[data.draw(st.integers(0, len(text) - 1))] ^= data.draw(st.integers(1, 255))
    assert not spells(vocabulary, ids, bytes(text))


@pytest.mark.usefixtures("_batch")
@given(data=st.data())
def test_changed_ids_spell_the_text_only_if_they_decode_to_it(
    data: st.DataObject, vocabulary: Vocabulary, by_length: list[list[int]]
) -> None:
    ids = draw_ids(data, by_length, 1)
    text, at = vocabulary.decode(ids).data, data.draw(st.integers(0, len(ids) - 1))
    other = draw_ids(data, by_length, 1)[0]
    for changed in (np.delete(ids, at), np.insert(ids, at, other), np.append(ids, other), ids[::-1].copy()):
        assert spells(vocabulary, changed, text) == (vocabulary.decode(changed).data == text)
    replaced = ids.copy()
    replaced[at] = other
    assert spells(vocabulary, replaced, text) == (other == ids[at])


@pytest.mark.usefixtures("_batch")
@given(data=st.data())
def test_ids_do_not_spell_a_longer_or_shorter_text(
    data: st.DataObject, vocabulary: Vocabulary, by_length: list[list[int]]
) -> None:
    ids = draw_ids(data, by_length, 1)
    text = vocabulary.decode(ids).data
    for other in (text[:-1], text[1:], text + b"\0", b"\0" + text, b""):
        assert not spells(vocabulary, ids, other)


@pytest.mark.usefixtures("_batch")
def test_ids_do_not_spell_a_text_with_any_byte_of_a_long_token_changed(
    vocabulary: Vocabulary, by_length: list[list[int]]
) -> None:
    for tokens in by_length[-3:]:
        ids = np.array(tokens[:2], np.int32)
        text = vocabulary.decode(ids).data
        for at in range(len(text)):
            assert not spells(vocabulary, ids, text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :])


@pytest.mark.parametrize(
    ("before", "token"), [([], -1), ([], VOCABULARY), ([100] * 5, -(2**31)), ([100] * 5, 2**31 - 1)]
)
def test_an_id_without_a_token_raises(before: list[int], token: int, vocabulary: Vocabulary) -> None:
    ids = np.array([*before, token, 5], np.int32)
    with pytest.raises(IndexError):
        vocabulary.decode_expected(ids, b"x")
