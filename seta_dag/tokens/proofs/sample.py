"""The sample of trials that are checked with the reference engine."""

from __future__ import annotations

import hashlib


def sampled(trial_uid: str, rate: float) -> bool:
    """Return True if a trial is in the sample of this rate, 0.0 to 1.0.

    That depends on the uid only (rule R12), and a larger sample contains every smaller one.
    """
    digest = hashlib.sha256(trial_uid.encode()).digest()
    return int.from_bytes(digest[:8], "big") < rate * 2**64
