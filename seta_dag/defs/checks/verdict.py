"""The result of an asset check."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

SHOWN = 20
"""Number of faults that a check's description spells out; the metadata has the count of all."""


def verdict(
    faults: Sequence[str],
    checked: str,
    agreement: str = "",
    figures: Mapping[str, int] | None = None,
    **about: Any,
) -> dg.AssetCheckResult:
    """Return a result that passes without faults.

    Args:
        faults: one sentence each.
        checked: what was looked at; it holds whether the check passes or not.
        agreement: what is true of it if there are no faults.
        figures: numbers for the metadata, by name.
        about: further arguments of the result.
    """
    passed = f"{checked}, {agreement}" if agreement else checked
    return dg.AssetCheckResult(
        passed=not faults,
        description="; ".join(faults[:SHOWN]) or passed,
        metadata={"faults": len(faults), "checked": checked, **(figures or {})},
        **about,
    )
