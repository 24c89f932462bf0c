"""The two variants of every dataset."""

from __future__ import annotations

from typing import Literal

Variant = Literal["thinking", "nothink"]
"""`thinking` keeps the teacher's reasoning (rule R6), `nothink` removes it and adds `/no_think` (rule R7)."""

VARIANTS: tuple[Variant, ...] = ("thinking", "nothink")
"""All variants, in the order in which they are built and stored."""
