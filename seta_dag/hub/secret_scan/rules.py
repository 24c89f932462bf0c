"""What a secret looks like: the token patterns of detect-secrets, and of newer tokens that it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

_DETECTORS = (
    "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "DiscordBotTokenDetector",
    "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector",
    "OpenAIDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SquareOAuthDetector",
    "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
"""Of detect-secrets' detectors those that know a token by its form. Left out: entropy and keyword ones,
which take every hash and every `password=` of a task's text for a secret; public IP addresses; four
assignment patterns of IBM's clouds, of which each costs more than all of these together; and those of
Artifactory, npm and private keys, which take in what stands around the secret or its heading alone."""

_NEWER: dict[str, tuple[str, ...]] = {
    "Anthropic API Key": (r"\bsk-ant-[a-z0-9]{4,8}-[A-Za-z0-9_-]{40,}",),
    "Artifactory Token": (r"\bAKCp[A-Za-z0-9]{60,}",),
    "AWS Secret Key": (
        r"(?i:\baws.{0,20}?(?:secret|key).{0,20}?[=:]\s*['\"]?)([0-9a-zA-Z/+]{40})(?![0-9a-zA-Z/+=])",
    ),
    "GitHub Fine-Grained Token": (r"\bgithub_pat_[A-Za-z0-9_]{60,}",),
    "Google API Key": (r"\bAIza[0-9A-Za-z_-]{35}",),
    "Hugging Face Token": (r"\bhf_[A-Za-z0-9]{34}\b",),
    "Model Provider Key": (
        r"\bsk-(?:or-v1-|proj-)?[A-Za-z0-9]{32,}",
        r"\b(?:gsk|xai|r8|nvapi)[_-][A-Za-z0-9]{32,}",
    ),
    "NPM Token": (r"\bnpm_[A-Za-z0-9]{36}\b", r"_authToken=\s*([A-Fa-f0-9-]{36})"),
    "Private Key": (r"BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-{5}(?:[\s\\]+[A-Za-z0-9+/=:]+){0,3}",),
}
"""Newer and stricter forms, and keys of model providers, which such agents have in their environment."""

_LOOKAHEAD = re.compile(r"\(\?![^()]*\)")
_SECRET_LENGTH = 16
"""Groups of fewer characters are a token's prefix or a short password; then the whole match counts."""


@dataclass(frozen=True)
class Rule:
    """A kind of secret. `detector`, where there is one, has the last word on a candidate."""

    kind: str
    pattern: re.Pattern[str]
    detector: RegexBasedDetector | None = None

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """(offset, secret) of each place in `text`."""
        for match in self.pattern.finditer(text):
            if self.detector is None or any(self.detector.analyze_string(match[0])):
                long = [n for n, part in enumerate(match.groups(), 1) if part and len(part) >= _SECRET_LENGTH]
                group = long[-1] if long else 0
                yield match.start(group), match[group]

    @property
    def prefilter(self) -> str:
        """A pattern in RE2's syntax that matches wherever this rule does; RE2 runs all rules' at once.

        It has no lookahead and no long repetitions, so these are dropped.
        """
        loose = _LOOKAHEAD.sub("", self.pattern.pattern).replace("{50,1024}", "{50}")
        return f"(?i){loose}" if self.pattern.flags & re.IGNORECASE else loose


def rules() -> list[Rule]:
    """All rules; detect-secrets is imported here only."""
    newer = [Rule(kind, re.compile(pattern)) for kind, patterns in _NEWER.items() for pattern in patterns]
    return [*_detect_secrets(), *newer]


def _detect_secrets() -> Iterator[Rule]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    detectors: dict[str, type] = get_mapping_from_secret_type_to_class()
    for kind, detector in sorted(detectors.items()):
        if detector.__name__ in _DETECTORS and issubclass(detector, RegexBasedDetector):
            one: RegexBasedDetector = detector()
            yield from (Rule(kind, pattern, one) for pattern in one.denylist)
