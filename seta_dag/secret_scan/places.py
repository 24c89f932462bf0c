"""Values that stand under the name of a credential in a JSON document, such as `api_key` or `cookie`."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

_NAME = re.compile(
    r"(?i)(?:^|[_-])(?:api[_-]?key|apikey|x-api-key|secret|secret[_-]?key|access[_-]?key|private[_-]?key"
    r"|access[_-]?token|auth[_-]?token|refresh[_-]?token|id[_-]?token|bearer[_-]?token|token|password|passwd"
    r"|passphrase|credentials?|authorization|cookie|set-cookie|session[_-]?token)$"
)
_CONFIGURATION = "model_config_dict"
"""Key of the settings of a model call: what is below was not written by the model or a tool."""
_PLACEHOLDER = re.compile(
    r"(?i)(?:none|null|empty|true|false|dummy|test|fake|changeme|placeholder|redacted|unset|secret|password"
    r"|(?:your|my|some|the)[ _-].*|x+|<.*>|\[.*\]|\{.*\}|\$.*|%.*%|os\.environ.*|process\.env.*)"
)
_CUT = ("***", "...", "…", "xxxx", "XXXX")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|token)\s+")
_DEPTH = 200


def credentials(document: Any) -> Iterator[str]:
    """Yield the values under the names of credentials, also in JSON that a string contains.

    In the configuration of a model call every such value of eight characters counts. Elsewhere a value must
    look random, since tasks are full of sample passwords.
    """
    yield from _walk(document, False, 0)


def _walk(value: Any, configured: bool, depth: int) -> Iterator[str]:
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        yield from _inner(value, configured, depth)
    elif isinstance(value, list):
        for one in value:
            yield from _walk(one, configured, depth + 1)
    elif isinstance(value, dict):
        for name, one in value.items():
            below = configured or name == _CONFIGURATION
            if isinstance(one, str) and _NAME.search(name) and _is_secret(one, below):
                yield _SCHEME.sub("", one, count=1)
            else:
                yield from _walk(one, below, depth + 1)


def _inner(text: str, configured: bool, depth: int) -> Iterator[str]:
    if text[:1] in ("{", "["):
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            return
        yield from _walk(document, configured, depth + 1)


def _is_secret(value: str, configured: bool) -> bool:
    bare = _SCHEME.sub("", value, count=1).strip()
    if _PLACEHOLDER.fullmatch(bare) or any(mark in bare for mark in _CUT):
        return False
    if configured:
        return len(bare) >= 8 and len(set(bare)) >= 5
    has_digit = any(char.isdigit() for char in bare)
    return 16 <= len(bare) <= 4096 and has_digit and " " not in bare and _entropy(bare) >= 3.5


def _entropy(text: str) -> float:
    """Return Shannon's entropy in bits per character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
