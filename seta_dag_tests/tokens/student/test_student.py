"""A student is found by name or in a folder, and refused in one sentence if it isn't supported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seta_dag.errors import StudentError
from seta_dag.tokens.renderers.markup import ADDED_TOKENS, MARKUP
from seta_dag.tokens.renderers.registry import KNOWN_TEMPLATES
from seta_dag.tokens.student.student import (
    QWEN3_TOKENIZER_SHA256,
    Student,
    find_student,
    qwen3_tokenizer_path,
)
from seta_dag_tests.support import template


def test_a_damaged_tokenizer_in_the_cache_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    damaged = tmp_path / "seta_dag" / QWEN3_TOKENIZER_SHA256[:16] / "tokenizer.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}")
    path = qwen3_tokenizer_path()
    assert path == damaged
    assert hashlib.sha256(path.read_bytes()).hexdigest() == QWEN3_TOKENIZER_SHA256


def test_added_tokens_are_those_of_the_tokenizer(student: Student) -> None:
    added = json.loads(student.read())["added_tokens"]
    assert tuple(token["content"] for token in added) == ADDED_TOKENS
    assert student.markup_ids == {t["content"]: t["id"] for t in added if t["content"] in MARKUP}


@pytest.mark.parametrize("revision", template.REVISIONS)
def test_the_golden_templates_are_supported(revision: str) -> None:
    assert hashlib.sha256(template.official(revision).encode()).hexdigest() in KNOWN_TEMPLATES


def folder(path: Path, student: Student, **files: str) -> Path:
    """Fill a student's folder: `files` by their stems, and by default the student's own tokenizer."""
    for name, text in {"tokenizer": "", **files}.items():
        target = path / ("chat_template.jinja" if name == "chat_template" else f"{name}.json")
        if text:
            target.write_text(text, "utf-8")
        elif name == "tokenizer":
            target.symlink_to(student.tokenizer_path)
    return path


def config(revision: str) -> str:
    """A tokenizer_config.json with the template."""
    return json.dumps({"chat_template": template.official(revision)})


@pytest.mark.parametrize("revision", template.REVISIONS)
def test_a_folder_with_a_template_file_is_a_student(revision: str, tmp_path: Path, student: Student) -> None:
    found = find_student(str(folder(tmp_path, student, chat_template=template.official(revision))))
    assert found.tokenizer_sha256 == QWEN3_TOKENIZER_SHA256
    assert found.markup_ids == student.markup_ids


@pytest.mark.parametrize("revision", template.REVISIONS)
def test_a_folder_with_the_template_in_its_config_is_a_student(
    revision: str, tmp_path: Path, student: Student
) -> None:
    path = folder(tmp_path, student, tokenizer_config=config(revision))
    assert (
        find_student(str(path)).template_sha256
        == hashlib.sha256(template.official(revision).encode()).hexdigest()
    )


def test_the_template_file_takes_precedence_over_the_config(tmp_path: Path, student: Student) -> None:
    path = folder(tmp_path, student, chat_template="{{ messages }}", tokenizer_config=config("second"))
    with pytest.raises(StudentError, match="is not supported"):
        find_student(str(path))


UNSUPPORTED: dict[str, dict[str, str]] = {
    "another template": {"chat_template": "{{ messages }}"},
    "one character more": {"chat_template": template.official("second") + "\n"},
    "no template": {},
    "a truncated config": {"tokenizer_config": '{"chat_template": "'},
    "a config that is a list": {"tokenizer_config": "[]"},
    "several named templates": {
        "tokenizer_config": '{"chat_template": [{"name": "default", "template": "x"}]}'
    },
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_unsupported_template_is_refused(name: str, tmp_path: Path, student: Student) -> None:
    path = folder(tmp_path, student, **UNSUPPORTED[name])
    assert_refused(lambda: find_student(str(path)), "is not supported", str(tmp_path))


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text(template.official("second"), "utf-8")
    assert_refused(lambda: find_student(str(tmp_path)), "no tokenizer.json", str(tmp_path))


def tokens(*contents: str) -> str:
    """A tokenizer.json with these added tokens."""
    return json.dumps({"added_tokens": [{"id": n, "content": text} for n, text in enumerate(contents)]})


UNUSABLE = {
    "truncated": ('{"added_tokens": [', "not a readable tokenizer.json"),
    "not an object": ("[]", "not a readable tokenizer.json"),
    "without added tokens": ("{}", "not a readable tokenizer.json"),
    "without a markup token": (tokens(*ADDED_TOKENS[:-1]), "no token </think>"),
    "with an unknown token": (tokens(*ADDED_TOKENS, "<|more|>"), "unknown added tokens <|more|>"),
    "without a model": (tokens(*ADDED_TOKENS), "the tokenizer cannot be loaded"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_tokenizer_is_refused_when_it_is_found(
    name: str, tmp_path: Path, student: Student
) -> None:
    text, sentence = UNUSABLE[name]
    path = folder(tmp_path, student, tokenizer=text, chat_template=template.official("second"))
    assert_refused(lambda: find_student(str(path)), sentence, str(tmp_path))


@pytest.mark.parametrize("part", ["model", "pre_tokenizer", "added_tokens"])
def test_a_tokenizer_with_a_damaged_part_is_refused(part: str, tmp_path: Path, student: Student) -> None:
    text = json.dumps(student.parse() | {part: {"type": "Unknown"}})
    path = folder(tmp_path, student, tokenizer=text, chat_template=template.official("second"))
    assert_refused(lambda: find_student(str(path)), str(tmp_path))


def test_another_tokenizer_is_accepted_if_it_can_be_loaded(tmp_path: Path, student: Student) -> None:
    text = student.read() + "\n"
    path = folder(tmp_path, student, tokenizer=text, chat_template=template.official("second"))
    assert find_student(str(path)).tokenizer_sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", ["nobody/nothing", "not a Hub id", "../nothing"])
def test_a_name_that_is_not_a_folder_and_not_on_the_hub_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    assert_refused(lambda: find_student(name), name, "not a folder, and not available", "check the name")


def assert_refused(action: Callable[[], object], *parts: str) -> None:
    """Assert that `action` raises a `StudentError` of one line that contains all parts."""
    with pytest.raises(StudentError) as raised:
        action()
    assert "\n" not in str(raised.value)
    assert all(part in str(raised.value) for part in parts)
