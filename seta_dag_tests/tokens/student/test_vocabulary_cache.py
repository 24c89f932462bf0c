"""The cached vocabulary is the parsed one, and a damaged file counts as missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seta_dag.tokens.student.student import QWEN3_MARKUP_IDS, Student
from seta_dag.tokens.student.vocabulary import Vocabulary
from seta_dag.tokens.student.vocabulary_cache import Tokens, read_tokens, write_tokens
from seta_dag_tests.support.damage import FLIPPED_UNSEEN, FOLDER, SEEN

DAMAGES = SEEN | {"a flip that keeps size and time": FLIPPED_UNSEEN, "folder": FOLDER}


@pytest.fixture(scope="module")
def parsed(student: Student) -> Tokens:
    return Vocabulary._parse(student)


def test_the_cached_vocabulary_is_the_parsed_one(parsed: Tokens, tmp_path: Path) -> None:
    assert read_tokens(tmp_path / "vocabulary.arrow") is None
    write_tokens(tmp_path / "vocabulary.arrow", parsed)
    found = read_tokens(tmp_path / "vocabulary.arrow")
    assert found is not None and found.tokens == parsed.tokens
    assert np.array_equal(found.is_added, parsed.is_added)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_not_used(damage: Callable[[Path], object], parsed: Tokens, tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.arrow"
    write_tokens(path, parsed)
    damage(path)
    found = read_tokens(path)
    # A byte at the end of the file, or of its padding, is part of no token.
    assert found is None or (
        found.tokens == parsed.tokens and np.array_equal(found.is_added, parsed.is_added)
    )


def test_loading_writes_the_cache_and_reads_it(
    student: Student, parsed: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = Vocabulary.load(student)
    assert [path.name for path in tmp_path.rglob("*.arrow")] == ["vocabulary.arrow"]
    gone = replace(student, tokenizer_path=tmp_path / "nothing")
    assert Vocabulary.load(gone).tokens == first.tokens == parsed.tokens


def test_a_cache_that_cannot_be_written_is_no_error(
    student: Student, parsed: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert Vocabulary.load(student).tokens == parsed.tokens


def test_the_known_markup_ids_are_those_of_the_tokenizer(student: Student) -> None:
    added = student._added_tokens()
    assert {token: added[token] for token in QWEN3_MARKUP_IDS} == QWEN3_MARKUP_IDS
