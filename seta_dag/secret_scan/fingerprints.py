"""Identify a secret without revealing it, to allow it by name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

# A secret can be wrapped, in JSON with `\n`. Neither white space nor backslashes belong to it.
_WRAPPING = re.compile(r"[\s\\]+")
_FORMER_KINDS = (
    "AWS Access Key", "AWS Secret Key", "Anthropic API Key", "Artifactory Token",
    "Azure Storage Account access key", "Basic Auth Credentials", "Discord Bot Token",
    "GitHub Fine-Grained Token", "GitHub Token", "GitLab Token", "Google API Key", "Hugging Face Token",
    "JSON Web Token", "Mailchimp Access Key", "Model Provider Key", "NPM Token", "OpenAI Token",
    "Private Key", "PyPI Token", "SendGrid API Key", "Slack Token", "Square OAuth Secret",
    "Stripe Access Key", "Telegram Bot Token", "Twilio API Key",
)  # fmt: skip
"""Names of the rules before version 0.2, which were part of a fingerprint."""


def fingerprint(secret: str) -> str:
    """Return the first 16 hex digits of a hash of the secret.

    It does not depend on the rule, on quotes around the secret or on line breaks in it.
    """
    return _hash("secret", secret)


def former_fingerprints(secret: str) -> Iterator[str]:
    """Yield the fingerprints that version 0.1 may have given this secret, so that they stay valid."""
    return (_hash(kind, secret) for kind in _FORMER_KINDS)


def _hash(kind: str, secret: str) -> str:
    bare = _WRAPPING.sub("", secret).strip("\"'=:")
    return hashlib.sha256(f"{kind}\0{bare}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
