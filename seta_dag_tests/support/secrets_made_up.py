"""Made-up secrets of many kinds, as text has them. None was ever valid.

Each is put together from parts, so that no scanner reports this file.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

_RANDOM = random.Random(20260401)
_LETTERS = string.ascii_letters + string.digits
_HEX, _DIGITS, _UPPER = "0123456789abcdef", "123456789", string.ascii_uppercase + "234567"


def _some(count: int, of: str = _LETTERS) -> str:
    """Return random characters, with a digit at the end if there can be one."""
    last = _RANDOM.choice([char for char in of if char.isdigit()] or of)
    return "".join(_RANDOM.choice(of) for _ in range(count - 1)) + last


def _bytes(count: int) -> str:
    return base64.b64encode(_RANDOM.randbytes(count)).decode()


def _pem(kind: str) -> str:
    body = "\n".join(_bytes(48) for _ in range(6))
    return "-----BEGIN " + f"{kind} KEY-----\n{body}\n-----END {kind} KEY-----"


def _jwt() -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"%s","iat":1516239022}' % _some(10).encode())
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), _some(43)])


KINDS: dict[str, Callable[[], str]] = {
    "aws-key-id": lambda: "AKIA" + _some(16, _UPPER),
    "aws-secret": lambda: "AWS_SECRET_ACCESS" + f"_KEY={_some(40)}",
    "aws-session-token": lambda: "AWS_SESSION" + f"_TOKEN=IQoJb3JpZ2luX2Vj{_bytes(150)}",
    "google-oauth-secret": lambda: "GOCSPX" + f"-{_some(28)}",
    "google-oauth-token": lambda: "ya29" + f".{_some(120)}",
    "gcp-api-key": lambda: "AIza" + _some(35),
    "github-pat": lambda: "ghp" + f"_{_some(36)}",
    "github-fine-grained-pat": lambda: "github" + f"_pat_{_some(22)}_{_some(59)}",
    "gitlab-pat": lambda: "glpat" + f"-{_some(20)}",
    "huggingface-access-token": lambda: "hf" + f"_{_some(34, string.ascii_letters)}",
    "kimi": lambda: "sk" + f"-kimi-{_some(64)}",
    "openai": lambda: "sk" + f"-proj-{_some(74)}T3BlbkFJ{_some(74)}",
    "anthropic": lambda: "sk" + f"-ant-api03-{_some(93)}AA",
    "openrouter": lambda: "sk" + f"-or-v1-{_some(64, _HEX)}",
    "deepseek": lambda: "DEEPSEEK_API" + f"_KEY=sk-{_some(32, _HEX)}",
    "groq": lambda: "gsk" + f"_{_some(52)}",
    "fireworks": lambda: "fw" + f"_{_some(24)}",
    "nvidia": lambda: "nvapi" + f"-{_some(30)}-{_some(20)}_{_some(12)}",
    "slack-bot-token": lambda: "xoxb" + f"-{_some(12, _DIGITS)}-{_some(13, _DIGITS)}-{_some(24)}",
    "discord-webhook": lambda: "https://discord.com/api/web" + f"hooks/{_some(18, _DIGITS)}/{_some(68)}",
    "stripe": lambda: "sk" + f"_live_{_some(24)}",
    "twilio": lambda: "SK" + _some(32, _HEX),
    "telegram": lambda: f"{_some(10, _DIGITS)}:" + f"AA{_some(33)}",
    "private-key": lambda: _pem("OPENSSH PRIVATE"),
    "jwt": _jwt,
    "bearer": lambda: "Authorization: " + f"Bearer {_some(48)}",
    "url-password": lambda: "https://deploy:" + f"{_some(20)}@git.example.com/x.git",
    "npmrc": lambda: "//registry.npmjs.org/:_auth" + f"Token={_some(36, _HEX)}",
    "pypi": lambda: "pypi" + f"-AgEIcHlwaS5vcmc{_some(150)}",
    "azure-storage": lambda: "AccountName=x;Account" + f"Key={_bytes(64)};EndpointSuffix=core",
    "azure-sas": lambda: "https://x.blob.core.windows.net/c?sv=2022-11-02&" + f"sig={_some(43)}%3D",
    "docker-auth": lambda: '{"auths": {"x": {"au' + f'th": "{_bytes(30)}"' + "}}}",
    "netrc": lambda: "machine github.com login me " + f"password {_some(30)}",
    "shadow": lambda: "root:" + f"$6${_some(16)}${_some(86)}:19000:0:99999:7:::",
    "env-secret": lambda: "export DB_PASS" + f"WORD={_some(24)}",
    "kw-bare": lambda: "API" + f"_KEY={_some(40)}",
}
"""Makes a new secret of each kind, with the words around it that it is recognized by."""
