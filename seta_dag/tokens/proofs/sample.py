"""The sample of trials that are checked with the reference engine."""

from __future__ import annotations

import hashlib

_SHARE, _LEAST_TRIALS, _SHARE_OF_MANY = 0.05, 20, 0.01


def sample_rate(n_trials: int) -> float:
    """Return the share of `n_trials` that is checked: 5 % up to 400, then 20 trials, and 1 % from 2,000 on.

    The reference engine is six times slower than the default one. Whether the two agree does not depend on
    the number of trials, so that many trials are not checked as densely as few.
    """
    return min(_SHARE, max(_SHARE_OF_MANY, _LEAST_TRIALS / max(n_trials, 1)))


def sampled(trial_uid: str, rate: float) -> bool:
    """Return True if a trial is in the sample of this rate, 0.0 to 1.0.

    That depends on the uid only (rule R12), and a larger sample contains every smaller one.
    """
    digest = hashlib.sha256(trial_uid.encode()).digest()
    return int.from_bytes(digest[:8], "big") < rate * 2**64
