"""R10: the token counts that the provider reported, read from the log of the model call."""

from __future__ import annotations

from typing import Any

TOKEN_COUNTS = ("cached_tokens", "completion_tokens", "prompt_tokens", "total_tokens")


def provider_token_counts(log: dict[str, Any]) -> dict[str, int | None]:
    """`response.usage` of the log; `cached_tokens` at its top level, else in `prompt_tokens_details`."""
    response = log.get("response")
    usage = response.get("usage") if isinstance(response, dict) else None
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("prompt_tokens_details")
    if usage.get("cached_tokens") is None and isinstance(details, dict):
        usage = {**usage, "cached_tokens": details.get("cached_tokens")}
    return {name: _int64(usage.get(name)) for name in TOKEN_COUNTS}


def _int64(value: Any) -> int | None:
    return value if type(value) is int and -(2**63) <= value < 2**63 else None
