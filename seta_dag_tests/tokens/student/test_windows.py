"""A long text in parts gives what the whole gives: characters, NFC, ids of both engines, and proofs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.rollouts.conversation import Conversation
from seta_dag.tokens.proofs import prover as prover_module
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.renderers.markup import ADDED_TOKENS
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.student import engines, vocabulary, windows
from seta_dag.tokens.student.engines import Encoded, Engine, EngineName, joined
from seta_dag.tokens.student.vocabulary import nfc, nfc_utf8
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.conversations import texts
from seta_dag_tests.tokens.proofs.test_prover import LITERAL, ORDINARY

AROUND_CUTS = (
    "\n", "\n\n", "\r\n", "\n\r", "\r", " \n", "\n ", "\n\t", "\n\u3000", "\u2028", "\u2029", "\x85", "\x0b",
    "\n\u0301", "\n'", "\n's", "\n'LL", "\n\u2019s", "\n!", "\n!!\n", "\n{", "\n<", "\n~", "\n\x7f", "\n\x1f",
    "\n1", "\na", "\nA\u030a", "\n\u00e9", "\n\u1100", "\u1161", "\u11a8", "\u0338", "\u0327", "x\n\nx",
    "\u00a0\n", "\u200b\n", "\ufeff\n", "\u0130", "\u017f", "\u212a", "...\n", "...\n\n.", "  \n  ",
    "  x",
)  # fmt: skip
runs = st.builds(
    lambda one, n: one * n, st.sampled_from([*AROUND_CUTS, "a", "9", " ", "!"]), st.integers(1, 40)
)
nasty = st.lists(
    st.sampled_from(AROUND_CUTS) | runs | texts() | st.sampled_from(ADDED_TOKENS), max_size=12
).map("".join)
sizes = st.integers(0, 12)
RUNS = {
    "newlines": "\n" * 3000,
    "lines": "a\n" * 1500,
    "spaces": " " * 3000 + "\nx",
    "spaces and newlines": " \n" * 1500 + "x",
    "marks": "e" + "\u0301" * 1000 + "\ne",
    "calls": '\n{"name": "ls", "arguments": {}}\n' * 200,
    "punctuation and newlines": "...\n" * 800 + "!",
    "markup": "<|im_end|>\n<|im_start|>" * 300,
}


def engine(name: EngineName, tokenizer: StudentTokenizer, reference: Engine) -> Engine:
    return tokenizer.engine if name == "fastokens" else reference


@given(text=nasty, size=sizes)
def test_the_parts_are_the_text(text: str, size: int) -> None:
    parts = list(windows.windows(text, size))
    assert "".join(parts) == text
    assert all(len(part) >= size and part.endswith("\n") for part in parts[:-1])
    data = text.encode()
    assert b"".join(windows.windows(data, size)) == data


@given(text=nasty, size=sizes)
def test_text_that_can_be_cut_is_cut(text: str, size: int) -> None:
    for part in windows.windows(text, size):
        inner = part[size:-1]
        assert not any(a == "\n" and "!" <= b <= "~" for a, b in pairwise(inner))


@pytest.mark.parametrize("name", ["fastokens", "hf"])
@pytest.mark.parametrize("method", ["ordinary", "whole"])
@given(text=nasty, size=sizes)
def test_ids_of_the_parts_are_the_ids_of_the_whole(
    method: str, name: EngineName, text: str, size: int, tokenizer: StudentTokenizer, reference: Engine
) -> None:
    ids_of = getattr(engine(name, tokenizer, reference), method)
    parts = [ids_of([part]).ids for part in windows.windows(text, size)]
    assert joined(parts).ids.tolist() == ids_of([text]).ids.tolist()


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("size", [1, 7, 500])
@pytest.mark.parametrize("name", ["fastokens", "hf"])
def test_ids_of_long_runs_in_parts_are_the_ids_of_the_whole(
    name: EngineName, size: int, run: str, tokenizer: StudentTokenizer, reference: Engine
) -> None:
    used = engine(name, tokenizer, reference)
    for ids_of in (used.ordinary, used.whole):
        parts = [ids_of([part]).ids for part in windows.windows(RUNS[run], size)]
        assert joined(parts).ids.tolist() == ids_of([RUNS[run]]).ids.tolist()


@pytest.mark.parametrize("name", ["fastokens", "hf"])
@given(given_texts=st.lists(nasty, max_size=4))
def test_gaps_that_are_long_are_cut_and_give_the_same(
    name: EngineName, given_texts: list[str], tokenizer: StudentTokenizer, reference: Engine
) -> None:
    used, gaps = engine(name, tokenizer, reference), [text.encode() for text in given_texts]
    expected = used.ordinary(given_texts)
    with tiny_windows():
        cut = engines.encode_gaps(used, gaps)
    for found in (cut, engines.encode_gaps(used, gaps)):
        assert np.array_equal(found.ids, expected.ids) and np.array_equal(found.offsets, expected.offsets)


def test_gaps_are_cut_only_where_they_are_long(tokenizer: StudentTokenizer) -> None:
    counted = Counting(tokenizer.engine)
    engines.encode_gaps(counted, [b"a\nb\nc\n", b"x\ny"])
    with tiny_windows():
        engines.encode_gaps(counted, [b"a\nb\nc\n", b"x\ny"])
    assert counted.asked == [["a\nb\nc\n", "x\ny"], ["a\nb\n"], ["c\n"], ["x\ny"]]


class Counting:
    """An engine that notes what it is asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.asked: list[list[str]] = []

    def whole(self, texts: Sequence[str]) -> Encoded:
        return self._engine.whole(texts)

    def ordinary(self, texts: Sequence[str]) -> Encoded:
        self.asked.append(list(texts))
        return self._engine.ordinary(texts)


@given(text=nasty, size=sizes)
def test_nfc_of_the_parts_is_nfc_of_the_whole(text: str, size: int) -> None:
    whole = vocabulary._normalizer().normalize_str(text).encode()
    assert b"".join(nfc(part) for part in windows.windows(text, size)) == whole
    data = text.encode()
    assert b"".join(nfc(part.decode()) for part in windows.windows(data, size)) == whole


@given(text=nasty)
def test_nfc_of_bytes_is_nfc_and_the_very_bytes_where_they_are_so_already(text: str) -> None:
    data, whole = text.encode(), vocabulary._normalizer().normalize_str(text).encode()
    for found in (nfc_utf8(data), _in_tiny_windows(data)):
        assert found == whole and (found is data) == (data == whole)


def _in_tiny_windows(data: bytes) -> bytes:
    with tiny_windows():
        return nfc_utf8(data)


@contextmanager
def tiny_windows() -> Iterator[None]:
    """While it is open, every text that can be cut is cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "WINDOW", 3)
        for module in (engines, prover_module, vocabulary):
            patch.setattr(module, "windows", lambda text: windows.windows(text, 3))
        yield


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("talk", [ORDINARY, LITERAL], ids=["ordinary", "literal"])
def test_a_row_is_made_and_proved_the_same_in_windows(
    talk: Conversation, variant: Variant, prover: Prover
) -> None:
    rendered = render(talk, variant)
    (expected,) = prover.tokenizer.tokenize([rendered])
    literal = rendered.has_literal_markup
    with tiny_windows():
        (made,) = prover.tokenizer.tokenize([rendered])
        assert made.ids.tolist() == expected.ids.tolist() and made.spans == expected.spans
        assert prover.prove(talk, render(talk, variant), made, variant, literal=literal) is None
        assert prover.engines_agree(rendered, made, {}) is None


def test_a_wrong_id_is_named_in_whichever_window_it_is(prover: Prover) -> None:
    rendered = render(ORDINARY, "thinking")
    (made,) = prover.tokenizer.tokenize([rendered])
    for at in range(len(made.ids)):
        ids = made.ids.copy()
        ids[at] = 0 if ids[at] else 1
        wrong = replace(made, ids=ids)
        decoded = prover.vocabulary.decode(ids)
        with tiny_windows():
            said = prover.whole_text(rendered, wrong, decoded)
            proof = prover.prove(ORDINARY, rendered, wrong, "thinking", literal=False)
        assert said == f"whole_text: id of token {at} is {ids[at]}, by the proof {made.ids[at]}"
        assert proof is not None and proof.startswith(f"decodes: token {at} on")


@pytest.mark.parametrize("lost", [1, 2, 30])
def test_ids_that_lack_or_exceed_the_text_are_named_in_windows(lost: int, prover: Prover) -> None:
    rendered = render(ORDINARY, "thinking")
    (made,) = prover.tokenizer.tokenize([rendered])
    few, many = made.ids[:-lost], np.concatenate([made.ids, made.ids[:lost]])
    with tiny_windows():
        short, long = (
            prover.whole_text(rendered, replace(made, ids=ids), prover.vocabulary.decode(ids))
            for ids in (few, many)
        )
    at, count = len(made.ids) - lost, len(made.ids)
    assert short == f"whole_text: id of token {at} is missing, by the proof {made.ids[at]}"
    assert long == f"whole_text: id of token {count} is {made.ids[0]}, by the proof missing"
