"""Each kind of secret is found wherever and however it is written, and ordinary text is left alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.secret_scan.places import credentials
from seta_dag.secret_scan.scanner import BY_PLACE, find_secrets
from seta_dag.secret_scan.views import views
from seta_dag_tests.support.conversations import assistant, log, logged, user
from seta_dag_tests.support.secrets_made_up import KINDS


def _in_json(text: str) -> str:
    return json.dumps({"content": f"語 output:\n{text}\nmore"}, ensure_ascii=False)


def _in_base64(text: str) -> str:
    return f"got {base64.b64encode(text.encode()).decode()} back"


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: f"語 output:\n{text}\nmore",
    "in JSON": _in_json,
    "in JSON in JSON": lambda text: _in_json(_in_json(text)),
    "in base64": _in_base64,
    "in base64 in JSON": lambda text: _in_json(_in_base64(text)),
    "in base64 of base64": lambda text: _in_base64(base64.b64encode(text.encode()).decode()),
    "in base64 after a path": lambda text: f"data/{base64.b64encode(text.encode()).decode()}",
    "in base64 of UTF-16": lambda text: f"-enc {base64.b64encode(text.encode('utf-16-le')).decode()}",
    "in lines of base64": lambda text: f"x\n{base64.encodebytes(f'hello {text} bye'.encode()).decode()}y",
    "next to words that ask to be ignored": lambda text: (
        f"{text} # gitleaks:allow kingfisher:ignore betterleaks:allow pragma: allowlist secret nosec\n"
    ),
}


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_found_however_it_is_written(kind: str, way: str) -> None:
    text = WRITTEN[way](KINDS[kind]()).encode()
    found = find_secrets(text)
    assert found
    # What is left is ordinary text: the range of each secret holds all of it.
    for secret in reversed(found):
        text = text[: secret.start] + b"[REDACTED]" + text[secret.end :]
    assert not find_secrets(text)


ORDINARY = [
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "id 123e4567-e89b-12d3-a456-426614174000 at 10.0.0.1:8080",
    "password = 'changeme'; token=None; api_key: str; TOKEN=$TOKEN",
    "https://example.com/path?x=1#frag, user@example.com, git@github.com:org/repo.git",
    "postgres://user:password@localhost/db, curl -u user:password http://localhost",
    "task-0123456789abcdef0123456789abcdef0123 risk-free disk-0123",
    "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----",
    "Authorization: Bearer $TOKEN, Authorization: Bearer <your token here>",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_text_that_only_looks_like_a_secret_is_left_alone(text: str) -> None:
    assert find_secrets(text.encode()) == []


NAMED: dict[str, Callable[[str], dict[str, Any]]] = {
    "api_key": lambda value: {"api_key": value},
    "authorization": lambda value: {"extra_headers": {"Authorization": f"Bearer {value}"}},
    "cookie": lambda value: {"default_headers": {"Cookie": value}},
    "a header of its own": lambda value: {"extra_headers": {"X-Api-Key": value}},
    "deep": lambda value: {"extra_body": {"auth": [{"password": value}]}},
    "JSON in a string": lambda value: {"extra_body": json.dumps({"token": value})},
}


@pytest.mark.parametrize("name", NAMED)
def test_credentials_of_the_log_are_found_by_their_names(name: str) -> None:
    value = "Hunt" + "er2-letters"  # which no rule would find
    document = log(user("a"), answer=assistant("b"))
    document["request"]["model_config_dict"] = NAMED[name](value)
    data = logged(document)
    (found,) = find_secrets(data, credentials(json.loads(data)))
    assert (found.kind, found.value) == (BY_PLACE, value)
    assert value.encode() in data[found.start : found.end]


@pytest.mark.parametrize(
    "value",
    ["EMPTY", "None", "sk-***", "sk-abc...xyz", "$API_KEY", "<your key>", "your-api-key", "xxxxxxxxxxxx"],
)
def test_placeholders_are_no_credentials(value: str) -> None:
    document = {"request": {"model_config_dict": {"api_key": value}}}
    assert find_secrets(json.dumps(document).encode(), credentials(document)) == []


def test_sample_passwords_of_a_conversation_are_no_credentials() -> None:
    document = {
        "messages": [
            {"content": json.dumps({"user": "admin", "password": "correct horse", "token": "abc123"})}
        ]
    }
    assert find_secrets(json.dumps(document).encode(), credentials(document)) == []


@given(st.text(), st.text(), st.integers(0, 2))
def test_a_view_leads_back_to_the_bytes_that_it_was_read_from(before: str, after: str, depth: int) -> None:
    text = f"{before}\n{KINDS['github-pat']()} {after}"
    for _ in range(depth):
        text = json.dumps({"a": text}, ensure_ascii=False)
    data = text.encode("utf-8", "surrogatepass")
    for view in views(data):
        for start, (first, last), end in zip(
            view.starts, view.sources, [*view.starts[1:], len(view.data)], strict=True
        ):
            assert 0 <= first < last <= len(data)
            if end - start == last - first and start != end and b"\\" not in data[first:last]:
                assert view.source(start, end) == (first, last)
    (found,) = (one for one in find_secrets(data) if one.kind == "github-pat")
    assert data[found.start : found.end].decode() == found.value


def test_a_kelvin_sign_is_a_letter() -> None:
    token = KINDS["aws-key-id"]()
    (found,) = find_secrets(token.replace("K", "\u212a", 1).encode())
    assert found.kind == "aws-key-id" and found.value == token
