"""Token counts that the provider reported for a model call (rule R10, docs/rules.md)."""

from __future__ import annotations

from typing import Any

TOKEN_COUNTS = ("cached_tokens", "completion_tokens", "prompt_tokens", "total_tokens")
"""Fields of the column `provider_token_counts`, in order."""


def provider_token_counts(log: dict[str, Any]) -> dict[str, int | None]:
    """Return the `TOKEN_COUNTS` in `response.usage` of a log.

    A count that is missing or not a 64-bit integer is None.
    """
    response = log.get("response")
    usage = response.get("usage") if isinstance(response, dict) else None
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("prompt_tokens_details")
    # Some backends report cached tokens at the top level, others in the details.
    if usage.get("cached_tokens") is None and isinstance(details, dict):
        usage = {**usage, "cached_tokens": details.get("cached_tokens")}
    return {name: _int64(usage.get(name)) for name in TOKEN_COUNTS}


def _int64(value: Any) -> int | None:
    # `type` instead of isinstance: a bool is an int, too.
    return value if type(value) is int and -(2**63) <= value < 2**63 else None
