"""Replace the secrets in a log before it becomes a column of a row (`build --redact`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from seta_dag.rollouts import json_reader
from seta_dag.secret_scan.places import credentials
from seta_dag.secret_scan.scanner import find_secrets

_TRIES = 3
"""How often a log is scanned: what stood before or after a secret may look like one only without it."""


class Redacted(NamedTuple):
    """A log without its secrets.

    Attributes:
        log: JSON text in UTF-8.
        kinds: kind of each secret that was replaced, in order.
    """

    log: bytes
    kinds: tuple[str, ...]


def redact(log: bytes) -> Redacted | None:
    """Replace each secret in a log by `[REDACTED:KIND]`; None if the log has some that cannot be replaced.

    That is the case if the log would be no JSON without it.
    """
    kinds: list[str] = []
    for _ in range(_TRIES):
        try:
            found = find_secrets(log, credentials(json_reader.parse(log)))
        except json_reader.UnreadableError:
            return None
        if not found:
            return Redacted(log, tuple(kinds))
        kinds += [secret.kind for secret in found]
        for secret in reversed(found):  # so that the offsets of the earlier ones stay right
            log = log[: secret.start] + f"[REDACTED:{secret.kind}]".encode() + log[secret.end :]
    return None


def secret_kinds(text: bytes, named: Iterable[str]) -> list[str]:
    """Return the kinds of the secrets in a rendered text, sorted, each once; `named` as in `find_secrets`."""
    return sorted({secret.kind for secret in find_secrets(text, named)})
