"""What a secret looks like: the token patterns of detect-secrets, and of newer tokens that it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_DETECTORS = (
    "AWSKeyDetector", "ArtifactoryDetector", "AzureStorageKeyDetector", "BasicAuthDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector",
    "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector",
    "SendGridDetector", "SlackDetector", "SquareOAuthDetector", "StripeDetector",
    "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
"""Of detect-secrets' detectors those that know a token by its form. Left out: entropy and keyword ones,
which take every hash and every `password=` of a task's text for a secret; public IP addresses; and four
assignment patterns of IBM's clouds, of which each costs more than all of these together."""

_NEWER: dict[str, tuple[str, ...]] = {
    "Anthropic API Key": (r"\bsk-ant-[a-z0-9]{4,8}-[A-Za-z0-9_-]{40,}",),
    "AWS Secret Key": (
        r"(?i)\baws.{0,20}?(?:secret|key).{0,20}?[=:]\s*['\"]?([0-9a-zA-Z/+]{40})(?![0-9a-zA-Z/+=])",
    ),
    "GitHub Fine-Grained Token": (r"\bgithub_pat_[A-Za-z0-9_]{60,}",),
    "Google API Key": (r"\bAIza[0-9A-Za-z_-]{35}",),
    "Hugging Face Token": (r"\bhf_[A-Za-z]{34}\b",),
    "Model Provider Key": (
        r"\bsk-(?:or-v1-|proj-)?[A-Za-z0-9]{40,}",
        r"\b(?:gsk|xai|r8|nvapi)[_-][A-Za-z0-9]{32,}",
    ),
}
"""Tokens of model providers and of newer forms; agents of this kind carry them in their environment."""


@dataclass(frozen=True)
class Rule:
    """A kind of secret. `validate` is the detector's own check of a candidate, where it has one."""

    kind: str
    pattern: re.Pattern[str]
    detector: Any = None

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """(offset, secret) of each place; the secret is the last group that matched, else the whole."""
        for match in self.pattern.finditer(text):
            group = match.lastindex or 0
            if self.detector is None or any(self.detector.analyze_string(match[0])):
                yield match.start(group), match[group]


def rules() -> list[Rule]:
    """All rules; needs detect-secrets, which is imported here only."""
    newer = [Rule(kind, re.compile(pattern)) for kind, patterns in _NEWER.items() for pattern in patterns]
    return [*_detect_secrets(), *newer]


def _detect_secrets() -> Iterable[Rule]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    for kind, detector in get_mapping_from_secret_type_to_class().items():
        if detector.__name__ in _DETECTORS:
            one = detector()
            yield from (Rule(kind, pattern, one) for pattern in one.denylist)
