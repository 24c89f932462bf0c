"""Patterns of secrets: the token detectors of detect-secrets, and newer tokens that it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

# Only detectors that recognize a token by its form. Left out are:
# - entropy and keyword detectors: every hash and every `password=` in a task's text would be a finding;
# - public IP addresses, which are not secrets;
# - four IBM Cloud detectors, each of which takes longer than all of these together;
# - Artifactory, npm and private keys: their matches include the surrounding text, or only the heading of
#   the key. `_ADDED` has stricter patterns for these.
_DETECTORS = (
    "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "DiscordBotTokenDetector",
    "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector",
    "OpenAIDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SquareOAuthDetector",
    "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
"""Class names of the detectors of detect-secrets that are used."""

_ADDED: dict[str, tuple[str, ...]] = {
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
"""Patterns by kind: newer and stricter forms, and keys of model providers, which agents often have."""

_LOOKAHEAD = re.compile(r"\(\?![^()]*\)")
_SECRET_LENGTH = 16
"""Shortest group, in characters, that is taken for the secret itself and not for a prefix of it."""


@dataclass(frozen=True)
class Rule:
    """A pattern for one kind of secret. Several rules can have the same kind.

    Attributes:
        kind: name of the kind, as reports show it.
        pattern: finds candidates; a group of 16 characters or more is the secret.
        detector: accepts or rejects each candidate; None accepts all.
    """

    kind: str
    pattern: re.Pattern[str]
    detector: RegexBasedDetector | None = None

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield (offset in characters, secret) for each match in `text`."""
        for match in self.pattern.finditer(text):
            if self.detector is None or any(self.detector.analyze_string(match[0])):
                # The last long group is the token. Shorter groups are its prefix or a short password, so
                # without a long one, the complete match is the secret.
                long = [n for n, part in enumerate(match.groups(), 1) if part and len(part) >= _SECRET_LENGTH]
                group = long[-1] if long else 0
                yield match.start(group), match[group]

    @property
    def prefilter(self) -> str:
        """A pattern in RE2 syntax that matches every text in which this rule finds something.

        It may match more. RE2 searches for the prefilters of all rules in one pass.
        """
        # RE2 has no lookahead and no repetition above 1000. Both only narrow a match, so they can go.
        loose = _LOOKAHEAD.sub("", self.pattern.pattern).replace("{50,1024}", "{50}")
        return f"(?i){loose}" if self.pattern.flags & re.IGNORECASE else loose


def rules() -> list[Rule]:
    """Return all rules. Imports detect-secrets, which takes a while."""
    added = [Rule(kind, re.compile(pattern)) for kind, patterns in _ADDED.items() for pattern in patterns]
    return [*_from_detect_secrets(), *added]


def _from_detect_secrets() -> Iterator[Rule]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    detectors: dict[str, type] = get_mapping_from_secret_type_to_class()
    for kind, detector_class in sorted(detectors.items()):
        if detector_class.__name__ in _DETECTORS and issubclass(detector_class, RegexBasedDetector):
            detector: RegexBasedDetector = detector_class()
            yield from (Rule(kind, pattern, detector) for pattern in detector.denylist)
