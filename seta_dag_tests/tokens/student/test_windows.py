"""Windows of a text give the same as the text: characters, NFC form, ids and proofs."""

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
from seta_dag.tokens.student.engines import Encoded, Engine, EngineName, concat
from seta_dag.tokens.student.vocabulary import nfc, nfc_utf8
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.conversations import texts
from seta_dag_tests.tokens.proofs.rows import LITERAL, ORDINARY

AROUND_SPLITS = (
    "\n", "\n\n", "\r\n", "\n\r", "\r", " \n", "\n ", "\n\t", "\n\u3000", "\u2028", "\u2029", "\x85", "\x0b",
    "\n\u0301", "\n'", "\n's", "\n'LL", "\n\u2019s", "\n!", "\n!!\n", "\n{", "\n<", "\n~", "\n\x7f", "\n\x1f",
    "\n1", "\na", "\nA\u030a", "\n\u00e9", "\n\u1100", "\u1161", "\u11a8", "\u0338", "\u0327", "x\n\nx",
    "\u00a0\n", "\u200b\n", "\ufeff\n", "\u0130", "\u017f", "\u212a", "...\n", "...\n\n.", "  \n  ",
    "  x",
)  # fmt: skip
runs = st.builds(
    lambda one, n: one * n, st.sampled_from([*AROUND_SPLITS, "a", "9", " ", "!"]), st.integers(1, 40)
)
nasty = st.lists(
    st.sampled_from(AROUND_SPLITS) | runs | texts() | st.sampled_from(ADDED_TOKENS), max_size=12
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
    """The engine with this name, already loaded."""
    return tokenizer.engine if name == "fastokens" else reference


@given(text=nasty, size=sizes)
def test_windows_are_consecutive_parts_of_the_text(text: str, size: int) -> None:
    parts = list(windows.windows(text, size))
    assert "".join(parts) == text
    assert all(len(part) >= size and part.endswith("\n") for part in parts[:-1])
    data = text.encode()
    assert b"".join(windows.windows(data, size)) == data


@given(text=nasty, size=sizes)
def test_a_window_ends_at_the_first_possible_newline(text: str, size: int) -> None:
    for part in windows.windows(text, size):
        inner = part[size:-1]
        assert not any(a == "\n" and "!" <= b <= "~" for a, b in pairwise(inner))


@pytest.mark.parametrize("name", ["fastokens", "hf"])
@pytest.mark.parametrize("method", ["encode_ordinary", "encode"])
@given(text=nasty, size=sizes)
def test_ids_of_the_windows_are_the_ids_of_the_text(
    method: str, name: EngineName, text: str, size: int, tokenizer: StudentTokenizer, reference: Engine
) -> None:
    ids_of = getattr(engine(name, tokenizer, reference), method)
    parts = [ids_of([part]).ids for part in windows.windows(text, size)]
    assert concat(parts).ids.tolist() == ids_of([text]).ids.tolist()


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", ["fastokens", "hf"])
def test_ids_of_the_windows_of_a_long_run_are_the_ids_of_the_text(
    name: EngineName, run: str, tokenizer: StudentTokenizer, reference: Engine
) -> None:
    used = engine(name, tokenizer, reference)
    for ids_of in (used.encode_ordinary, used.encode):
        expected = ids_of([RUNS[run]]).ids.tolist()
        for size in (1, 500):
            parts = [ids_of([part]).ids for part in windows.windows(RUNS[run], size)]
            assert concat(parts).ids.tolist() == expected


@pytest.mark.parametrize("name", ["fastokens", "hf"])
@given(given_texts=st.lists(nasty, max_size=4))
def test_ids_of_gaps_are_the_same_in_windows(
    name: EngineName, given_texts: list[str], tokenizer: StudentTokenizer, reference: Engine
) -> None:
    used, gaps = engine(name, tokenizer, reference), [text.encode() for text in given_texts]
    expected = used.encode_ordinary(given_texts)
    with tiny_windows():
        windowed = engines.encode_gaps(used, gaps)
    for found in (windowed, engines.encode_gaps(used, gaps)):
        assert np.array_equal(found.ids, expected.ids) and np.array_equal(found.offsets, expected.offsets)


def test_only_long_gaps_are_split(tokenizer: StudentTokenizer) -> None:
    recording = Recording(tokenizer.engine)
    engines.encode_gaps(recording, [b"a\nb\nc\n", b"x\ny"])
    with tiny_windows():
        engines.encode_gaps(recording, [b"a\nb\nc\n", b"x\ny"])
    assert recording.calls == [["a\nb\nc\n", "x\ny"], ["a\nb\n"], ["c\n"], ["x\ny"]]


class Recording:
    """An engine that records the ordinary texts of each call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.calls: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Encoded:
        return self._engine.encode(texts)

    def encode_ordinary(self, texts: Sequence[str]) -> Encoded:
        self.calls.append(list(texts))
        return self._engine.encode_ordinary(texts)


@given(text=nasty, size=sizes)
def test_nfc_of_the_windows_is_nfc_of_the_text(text: str, size: int) -> None:
    expected = vocabulary._normalizer().normalize_str(text).encode()
    assert b"".join(nfc(part) for part in windows.windows(text, size)) == expected
    data = text.encode()
    assert b"".join(nfc(part.decode()) for part in windows.windows(data, size)) == expected


@given(text=nasty)
def test_nfc_utf8_returns_the_same_object_if_it_is_in_nfc_already(text: str) -> None:
    data, expected = text.encode(), vocabulary._normalizer().normalize_str(text).encode()
    for found in (nfc_utf8(data), _in_tiny_windows(data)):
        assert found == expected and (found is data) == (data == expected)


def _in_tiny_windows(data: bytes) -> bytes:
    with tiny_windows():
        return nfc_utf8(data)


@contextmanager
def tiny_windows() -> Iterator[None]:
    """Split every text that can be split, while the context is open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "WINDOW", 3)
        for module in (engines, prover_module, vocabulary):
            patch.setattr(module, "windows", lambda text: windows.windows(text, 3))
        yield


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("chat", [ORDINARY, LITERAL], ids=["ordinary", "literal"])
def test_a_row_is_the_same_and_is_proved_in_windows(
    chat: Conversation, variant: Variant, prover: Prover
) -> None:
    rendered = render(chat, variant)
    (expected,) = prover.tokenizer.tokenize([rendered])
    literal = rendered.has_literal_markup
    with tiny_windows():
        (tokenized,) = prover.tokenizer.tokenize([rendered])
        assert tokenized.ids.tolist() == expected.ids.tolist() and tokenized.spans == expected.spans
        assert prover.prove(chat, render(chat, variant), tokenized, variant, literal=literal) is None
        assert prover.engines_agree(rendered, tokenized, {}) is None


def test_a_wrong_id_is_found_in_any_window(prover: Prover) -> None:
    rendered = render(ORDINARY, "thinking")
    (tokenized,) = prover.tokenizer.tokenize([rendered])
    for at in range(len(tokenized.ids)):
        ids = tokenized.ids.copy()
        ids[at] = 0 if ids[at] else 1
        wrong = replace(tokenized, ids=ids)
        decoded = prover.vocabulary.decode(ids)
        with tiny_windows():
            fault = prover.whole_text(rendered, wrong, decoded)
            first_fault = prover.prove(ORDINARY, rendered, wrong, "thinking", literal=False)
        assert fault == f"whole_text: id of token {at} is {ids[at]}, expected: {tokenized.ids[at]}"
        assert first_fault is not None and first_fault.startswith(f"decodes: token {at} on")


@pytest.mark.parametrize("count", [1, 30])
def test_missing_and_additional_ids_are_found_in_windows(count: int, prover: Prover) -> None:
    rendered = render(ORDINARY, "thinking")
    (tokenized,) = prover.tokenizer.tokenize([rendered])
    few, many = tokenized.ids[:-count], np.concatenate([tokenized.ids, tokenized.ids[:count]])
    with tiny_windows():
        short, long = (
            prover.whole_text(rendered, replace(tokenized, ids=ids), prover.vocabulary.decode(ids))
            for ids in (few, many)
        )
    end, last = len(tokenized.ids), len(tokenized.ids) - count
    assert short == f"whole_text: id of token {last} is missing, expected: {tokenized.ids[last]}"
    assert long == f"whole_text: id of token {end} is {tokenized.ids[0]}, expected: missing"
