"""The student: found by name or in a folder, and refused in one sentence where it can't be exact."""

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


def test_the_assembled_tokenizer_replaces_a_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    damaged = tmp_path / "seta_dag" / QWEN3_TOKENIZER_SHA256[:16] / "tokenizer.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}")
    path = qwen3_tokenizer_path()
    assert path == damaged
    assert hashlib.sha256(path.read_bytes()).hexdigest() == QWEN3_TOKENIZER_SHA256


def test_the_added_tokens_are_those_of_the_tokenizer(student: Student) -> None:
    added = json.loads(student.read())["added_tokens"]
    assert tuple(token["content"] for token in added) == ADDED_TOKENS
    assert student.markup_ids == {t["content"]: t["id"] for t in added if t["content"] in MARKUP}


@pytest.mark.parametrize("revision", template.REVISIONS)
def test_the_golden_templates_are_the_known_ones(revision: str) -> None:
    assert hashlib.sha256(template.official(revision).encode()).hexdigest() in KNOWN_TEMPLATES


def folder(path: Path, student: Student, **files: str) -> Path:
    """A student's folder: `files` by their stems, and the student's own tokenizer where none is given."""
    for name, text in {"tokenizer": "", **files}.items():
        target = path / ("chat_template.jinja" if name == "chat_template" else f"{name}.json")
        if text:
            target.write_text(text, "utf-8")
        elif name == "tokenizer":
            target.symlink_to(student.tokenizer_path)
    return path


def config(revision: str) -> str:
    """A tokenizer_config.json that holds the template."""
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
    made = folder(tmp_path, student, tokenizer_config=config(revision))
    assert (
        find_student(str(made)).template_sha256
        == hashlib.sha256(template.official(revision).encode()).hexdigest()
    )


def test_the_template_file_counts_before_the_config(tmp_path: Path, student: Student) -> None:
    made = folder(tmp_path, student, chat_template="{{ messages }}", tokenizer_config=config("second"))
    with pytest.raises(StudentError, match="none that the renderer knows"):
        find_student(str(made))


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "another template": ({"chat_template": "{{ messages }}"}, "none that the renderer knows"),
    "one character more": (
        {"chat_template": template.official("second") + "\n"},
        "none that the renderer knows",
    ),
    "no template at all": ({}, "none that the renderer knows"),
    "a config that is cut": ({"tokenizer_config": '{"chat_template": "'}, "none that the renderer knows"),
    "a config that is a list": ({"tokenizer_config": "[]"}, "none that the renderer knows"),
    "several named templates": (
        {"tokenizer_config": '{"chat_template": [{"name": "default", "template": "x"}]}'},
        "none that the renderer knows",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_template_that_is_not_known_is_refused(name: str, tmp_path: Path, student: Student) -> None:
    files, sentence = REFUSED[name]
    made = folder(tmp_path, student, **files)
    refused(lambda: find_student(str(made)), sentence, str(tmp_path))


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text(template.official("second"), "utf-8")
    refused(lambda: find_student(str(tmp_path)), "no tokenizer.json", str(tmp_path))


def tokens(*contents: str) -> str:
    """A tokenizer.json with these added tokens."""
    return json.dumps({"added_tokens": [{"id": n, "content": text} for n, text in enumerate(contents)]})


UNUSABLE = {
    "cut": ('{"added_tokens": [', "unreadable"),
    "no object": ("[]", "unreadable"),
    "without added tokens": ("{}", "unreadable"),
    "without a markup token": (tokens(*ADDED_TOKENS[:-1]), "no token </think>"),
    "with a token that is not known": (tokens(*ADDED_TOKENS, "<|more|>"), "unknown added tokens <|more|>"),
    "without a model": (tokens(*ADDED_TOKENS), "no engine can load it"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_tokenizer_that_cannot_be_exact_is_refused_when_it_is_found(
    name: str, tmp_path: Path, student: Student
) -> None:
    text, sentence = UNUSABLE[name]
    made = folder(tmp_path, student, tokenizer=text, chat_template=template.official("second"))
    refused(lambda: find_student(str(made)), sentence, str(tmp_path))


@pytest.mark.parametrize("part", ["model", "pre_tokenizer", "added_tokens"])
def test_a_tokenizer_with_a_damaged_part_is_refused(part: str, tmp_path: Path, student: Student) -> None:
    text = json.dumps(student.parse() | {part: {"type": "unheard"}})
    made = folder(tmp_path, student, tokenizer=text, chat_template=template.official("second"))
    refused(lambda: find_student(str(made)), str(tmp_path))


def test_another_tokenizer_that_loads_is_a_student(tmp_path: Path, student: Student) -> None:
    text = student.read() + "\n"
    made = folder(tmp_path, student, tokenizer=text, chat_template=template.official("second"))
    assert find_student(str(made)).tokenizer_sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", ["nobody/nothing", "no such folder", "../nothing"])
def test_a_name_that_is_neither_a_folder_nor_on_the_hub_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    refused(lambda: find_student(name), name, "neither a folder nor to be had", "check the name")


def refused(action: Callable[[], object], *sentence: str) -> None:
    """Asserts that `action` raises a `StudentError` of one line that holds each part."""
    with pytest.raises(StudentError) as raised:
        action()
    assert "\n" not in str(raised.value)
    assert all(part in str(raised.value) for part in sentence)
